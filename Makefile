# loam's whole build. No configure step: Linux is the configuration.
#
#   make run        install what is missing, build, show a leak report of a real program
#   make test       install what the tests need, build, run them all   (T=name, V=1)
#   make all        build/release/{libloam.so,libloam.a,libloam_malloc.a,loam}
#   make examples   build and run every example
#   make bench      compare allocators  (SUITE=quick|full|micro|traces|real, PEERS=name=/lib.so,…)
#   make bench-sight     loam run beside heaptrack, massif, memcheck  (SIGHT=--markdown)
#   make bench-toolkit   the ownership toolkit beside talloc, APR, GLib ...  (MINICORO=header)
#   make install    DESTDIR=, PREFIX=
#   make fuzz       recordings that nobody wrote against the reader  (clang; FUZZ_SECONDS=60)
#   make web        rebuild web/dist, the HTML pages (node and npm; building loam needs neither)
#
#   MODE=release|debug     SAN=address,undefined | thread     O=folder for the build

VERSION := 0.1.0
MODE    ?= release
PREFIX  ?= /usr/local
CC      ?= gcc
O       ?= build/$(MODE)$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma   := ,

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith
CFLAGS_release := -O2 -g -DNDEBUG
CFLAGS_debug   := -Og -g
CFLAGS  += $(CFLAGS_$(MODE)) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
ALL_CFLAGS := -std=gnu17 -D_GNU_SOURCE -DLOAM_VERSION='"$(VERSION)"' $(WARN) -Isrc -Iinclude -I. \
	-fPIC -fvisibility=hidden -fno-semantic-interposition -pthread -MMD -MP $(CFLAGS)
LDFLAGS += $(if $(SAN),-fsanitize=$(SAN))
TOOL_LIBS := -lncursesw -ltinfo -ldw -lelf -lcapstone -ljansson -lz -lm

# Layers, as tools/layers names them. What runs in the target, then the libc names, then the tool.
TARGET_LAYERS  := base os heap scan own record guard
PRELOAD_LAYERS := preload
TOOL_LAYERS    := target report inspect lab lab/exp cli
objs = $(patsubst %.c,$O/obj/%.o,$(wildcard $(patsubst %,src/%/*.c,$(1))))
TARGET_OBJS  := $(call objs,$(TARGET_LAYERS))
PRELOAD_OBJS := $(call objs,$(PRELOAD_LAYERS))
TOOL_OBJS    := $(call objs,$(TOOL_LAYERS))
UNIT_TESTS   := $(patsubst tests/%.c,$O/tests/%,$(wildcard tests/unit/*_test.c tests/stress/*_test.c tests/famine/*_test.c tests/model/*_test.c))

.PHONY: all lib tool tests run test examples install clean
.DELETE_ON_ERROR:
.SECONDARY:
# One line a file; V=1 shows the commands too.
ifndef V
.SILENT:
endif
say = $(if $(findstring s,$(firstword -$(MAKEFLAGS))),,@echo "  $(@:$O/%=%)")
all: lib tool
lib: $O/libloam.so $O/libloam.a $O/libloam_malloc.a
tool: $O/loam

$O/obj/%.o: %.c Makefile
	$(say)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@

# The pages of web/ stand in it whole.
$O/obj/src/report/page.o: $(wildcard web/dist/*.html)

# Experiments time loops as they are written: no vectors but those that are asked for.
$O/obj/src/lab/exp/%.o: ALL_CFLAGS += -O2 -fno-tree-vectorize -fno-tree-slp-vectorize \
	-ffp-contract=off -fstack-protector-explicit -falign-loops=64

$O/internal.a: $(TARGET_OBJS)
	$(say)
	@rm -f $@
	$(AR) rcs $@ $^

# Always replaces malloc, whoever loads it. initfirst: its constructor runs before all others, so
# that its exit handler runs after all others. What every program runs comes first: the kernel maps
# 64 KiB of a file around each place that is touched, and all of that counts as the program's.
SO_OBJS := $(call objs,base os heap preload) $(patsubst %,$O/obj/src/record/%.o,record here unwind)
$O/libloam.so: $(SO_OBJS) $(filter-out $(SO_OBJS),$(TARGET_OBJS))
	$(say)
	$(CC) -shared $(CFLAGS) $(LDFLAGS) -Wl,-soname,libloam.so.0 -Wl,-z,now,-z,relro,-z,defs \
		-Wl,-z,initfirst -Wl,-z,nodlopen -o $@ $^ -pthread
	@ln -sf libloam.so $O/libloam.so.0

# One object whose internal names are local, so that they clash with nobody's. Its code has a
# section of its own, by which backtraces tell loam's frames from the program's (module_self).
OWN_SECTION := $(patsubst %,--rename-section %=loam_text,.text .text.unlikely .text.startup .text.hot)
$O/loam.o: $(TARGET_OBJS)
	$(say)
	$(LD) -r -o $@ $^
	objcopy --localize-hidden $(OWN_SECTION) $@
$O/libloam.a: $O/loam.o
	$(say)
	@rm -f $@
	$(AR) rcs $@ $^

# The same with the libc names: linked before libc, it replaces malloc at link time.
$O/loam_malloc.o: $(TARGET_OBJS) $(PRELOAD_OBJS)
	$(say)
	$(LD) -r -o $@ $^
	objcopy --localize-hidden $(OWN_SECTION) $@
$O/libloam_malloc.a: $O/loam_malloc.o
	$(say)
	@rm -f $@
	$(AR) rcs $@ $^

$O/loam: $(TOOL_OBJS) $O/internal.a
	$(say)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TOOL_LIBS) -pthread

$O/tests/%: $O/obj/tests/%.o $O/internal.a
	$(say)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -pthread -ldl -lm
tests: $(UNIT_TESTS) $O/tests/golden/fabricate $O/tests/web/rich $O/tests/proof/loam

# The library once more, with every backtrace compared (tests/proof/proof.c), and a tool beside it that
# takes it for its own.
$O/tests/proof/libloam.so: $O/obj/tests/proof/proof.o $(TARGET_OBJS) $(PRELOAD_OBJS)
	$(say)
	@mkdir -p $(@D)
	$(CC) -shared $(CFLAGS) $(LDFLAGS) -static-libgcc -Wl,--exclude-libs,ALL -Wl,--wrap=trace_hash \
		-Wl,-z,now,-z,initfirst,-z,nodlopen -o $@ $^ -pthread
$O/tests/proof/loam: $O/loam $O/tests/proof/libloam.so $O/tests/proof/show
	@cp $< $@

# Tests of the tool need its code, but for its main().
TOOL_TESTS := $(addprefix $O/tests/unit/,load_test bench_test stop_test target_test session_test timeline_test moments_test \
	advice_test \
	lab_test residence_test translate_test hostile_test rust_test jit_test)
$O/tool.a: $(filter-out %/cli/main.o,$(TOOL_OBJS))
	$(say)
	@rm -f $@
	$(AR) rcs $@ $^
$(TOOL_TESTS): $O/tests/%: $O/obj/tests/%.o $O/tool.a $O/internal.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TOOL_LIBS) -pthread

# ---------------------------------------------------------------- tests, examples, a first look

# Everything that prints TAP. The slow ones first, so that no processor ends up idle.
TEST_FILES := $(wildcard tests/real/*.t tests/san/*.t tests/leaks/*.t tests/libc/*.t tests/web/*.t) $(UNIT_TESTS) \
	$(wildcard tests/misuse/*.t tests/golden/*.t tests/cli/*.t)
CHOSEN = $(if $(T),$(strip $(foreach t,$(TEST_FILES),$(if $(findstring $(T),$(t)),$(t)))),$(TEST_FILES))
JOBS  ?= $(shell nproc)

test:
	@tools/install-deps test
	@$(MAKE) --no-print-directory -j$(JOBS) all tests examples-build bench-build
	@BUILD=$(abspath $O) CC="$(CC)" tools/run-tests $(if $(V),-v) -j$(JOBS) \
		$(or $(CHOSEN),$(error no test's path contains "$(T)"))

# Examples are whole programs that include only public headers: C against libloam.a.
EXAMPLES := $(patsubst examples/%.c,$O/examples/%,$(wildcard examples/*.c))
$O/examples/%: examples/%.c $O/libloam.a $(wildcard include/loam/*.h)
	$(say)
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -D_GNU_SOURCE -g -O1 $(WARN) -Iinclude -o $@ $< $O/libloam.a -pthread

.PHONY: examples-build
examples-build: $(EXAMPLES)
examples: examples-build
	@for e in $(EXAMPLES); do echo "== $$e"; $$e </dev/null || exit 1; done

run:
	@tools/install-deps run
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@CC="$(CC)" tools/first-look $O

# ---------------------------------------------------------------- comparing allocators

# One program a file, each against libc alone: any malloc can be put under them. -fno-builtin and
# -fno-allocation-dce: a compiler may leave out a malloc whose block is freed at once.
BENCH_FLAGS := -D_GNU_SOURCE -O2 -g -Ibench -pthread -fno-builtin \
	-Wall -Wextra -Wshadow -Wvla -Wpointer-arith
BENCHES := $(patsubst bench/%,$O/bench/%,$(basename $(wildcard $(addprefix bench/,macro/*.c macro/*.cc micro/*.c traces/pack.c traces/replay.c))))
$O/bench/%: bench/%.c bench/bench.h
	@mkdir -p $(@D)
	$(CC) -std=gnu17 $(BENCH_FLAGS) -Wstrict-prototypes -Wmissing-prototypes -o $@ $< -lm
# Those that compare collectors hold loam's.
$O/bench/micro/gc_%: bench/micro/gc_%.c bench/micro/gc.h bench/bench.h $O/libloam.a
	@mkdir -p $(@D)
	$(CC) -std=gnu17 $(BENCH_FLAGS) -Iinclude -Wstrict-prototypes -Wmissing-prototypes -o $@ $< \
		$O/libloam.a -ldl -lm
$O/bench/%: bench/%.cc bench/bench.h
	@mkdir -p $(@D)
	$(CXX) -std=gnu++17 $(BENCH_FLAGS) -fno-allocation-dce -o $@ $<

# What a command costs; once so that it is watched with the program that it starts, once so that not.
$O/bench/cost: bench/cost.c
	@mkdir -p $(@D)
	$(CC) -std=gnu17 $(BENCH_FLAGS) -o $@ $<
	$(CC) -std=gnu17 $(BENCH_FLAGS) -static -o $@-static $<

$O/bench/traces/record.so: bench/traces/record.c bench/traces/trace.h
	@mkdir -p $(@D)
	$(CC) -std=gnu17 $(BENCH_FLAGS) -fPIC -shared -o $@ $<
$O/bench/traces/pack $O/bench/traces/replay: bench/traces/trace.h

# The list and the scripts go beside the programs: `loam bench` looks for all of it beside itself.
BENCH_FILES := $(patsubst bench/%,$O/bench/%,bench/programs $(wildcard bench/real/*.sh bench/traces/*.sh))
$O/bench/%: bench/%
	@mkdir -p $(@D)
	cp $< $@

# BENCH: more options, such as BENCH='--scale 0.1 --programs larson'.
SUITE  ?= quick
ROUNDS ?= 5
.PHONY: bench bench-build
bench-build: $(BENCHES) $(BENCH_FILES) $O/bench/traces/record.so $O/bench/cost
bench:
	@tools/install-deps bench
	@$(MAKE) --no-print-directory -j$(JOBS) all bench-build
	$O/loam bench --suite $(SUITE) -n $(ROUNDS) $(if $(PEERS),--peers $(PEERS)) $(BENCH) \
		-o $O/bench/$(SUITE).csv --svg $O/bench/$(SUITE).svg

# Loam's toolkit beside others. What this machine has no package of is left out; minicoro is one
# header, named by MINICORO=/path/minicoro.h.
TOOLKIT := $O/bench/toolkit
TOOLKIT_PEERS := loam switch libc $(if $(MINICORO),minicoro) $(foreach p,talloc apr-1 glib-2.0,\
	$(if $(shell pkg-config --exists $(p) 2>/dev/null && echo yes),$(firstword $(subst -, ,$(p)))))
$(TOOLKIT)/%: bench/toolkit/%.c bench/toolkit/toolkit.h bench/bench.h $O/libloam.a
	$(say)
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -D_GNU_SOURCE -O2 -g -Ibench -Ibench/toolkit -Iinclude -Isrc -Wall -Wextra -pthread \
		$(if $(MINICORO),-DMINICORO='"$(MINICORO)"') $(TOOLKIT_CFLAGS) -o $@ $< \
		$(if $(findstring switch,$@),$O/internal.a,$O/libloam.a) $(TOOLKIT_LIBS)
$(TOOLKIT)/switch: $O/internal.a
$(TOOLKIT)/talloc $(TOOLKIT)/apr $(TOOLKIT)/glib: TOOLKIT_CFLAGS = $(shell pkg-config --cflags $(PKG))
$(TOOLKIT)/talloc $(TOOLKIT)/apr $(TOOLKIT)/glib: TOOLKIT_LIBS = $(shell pkg-config --libs $(PKG))
$(TOOLKIT)/talloc: PKG = talloc
$(TOOLKIT)/apr: PKG = apr-1
$(TOOLKIT)/glib: PKG = glib-2.0
.PHONY: bench-toolkit
bench-toolkit:
	@tools/install-deps toolkit
	@$(MAKE) --no-print-directory bench-toolkit-run
.PHONY: bench-toolkit-run
bench-toolkit-run: $(addprefix $(TOOLKIT)/,$(TOOLKIT_PEERS)) \
		$(addprefix $O/bench/micro/,gc_trees gc_mark gc_pause)
	@bench/toolkit/table -n $(ROUNDS) --csv $(TOOLKIT)/table.csv $(TOOLKIT)

# What it costs to watch a program, beside heaptrack and Valgrind. SIGHT: more options, --markdown.
.PHONY: bench-sight
bench-sight:
	@tools/install-deps sight
	@$(MAKE) --no-print-directory -j$(JOBS) all bench-build
	@BUILD=$(abspath $O) bench/sight.py -n $(ROUNDS) --csv $O/bench/sight.csv $(SIGHT)

# ---------------------------------------------------------------- install

LIBDIR = $(PREFIX)/lib
HERE   = $(DESTDIR)$(PREFIX)
install: all
	install -d $(HERE)/bin $(DESTDIR)$(LIBDIR)/pkgconfig $(HERE)/include/loam
	install -m 755 $O/loam $(HERE)/bin/loam
	install -m 755 $O/libloam.so $(DESTDIR)$(LIBDIR)/libloam.so.$(VERSION)
	ln -sf libloam.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libloam.so.0
	ln -sf libloam.so.0 $(DESTDIR)$(LIBDIR)/libloam.so
	install -m 644 $O/libloam.a $O/libloam_malloc.a $(DESTDIR)$(LIBDIR)
	install -m 644 $(wildcard include/loam/*) $(HERE)/include/loam
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' \
		loam.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/loam.pc
	@chmod 644 $(DESTDIR)$(LIBDIR)/pkgconfig/loam.pc
	$(foreach m,$(wildcard man/*.[1-8]),install -D -m 644 $(m) \
		$(HERE)/share/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m)) &&) :

# The reader of recordings against bytes that nobody wrote: see fuzz/README.md.
FUZZ_SECONDS ?= 60
FUZZ_SOURCES = $(filter-out src/cli/%,$(TOOL_OBJS:$O/obj/%.o=%.c)) $(TARGET_OBJS:$O/obj/%.o=%.c)
build/fuzz/recording: fuzz/recording.c fuzz/hostile.h $(wildcard src/report/*.[ch])
	@mkdir -p build/fuzz/corpus
	clang $(filter-out -MMD -MP -O2,$(ALL_CFLAGS)) -O1 -w -fsanitize=fuzzer,address,undefined -o $@ $< \
		$(FUZZ_SOURCES) $(TOOL_LIBS) -ldl
build/fuzz/elf: fuzz/elf.c $(wildcard src/inspect/*.[ch])
	@mkdir -p build/fuzz
	clang $(filter-out -MMD -MP -O2,$(ALL_CFLAGS)) -O1 -w -fsanitize=fuzzer,address,undefined -o $@ $< \
		$(FUZZ_SOURCES) $(TOOL_LIBS) -ldl
.PHONY: fuzz-elf
fuzz-elf: build/fuzz/elf
	CC="$(CC)" fuzz/run-elf build/fuzz $(FUZZ_SECONDS)
.PHONY: fuzz
fuzz: build/fuzz/recording $O/tests/web/rich
	$O/tests/web/rich build/fuzz/corpus/rich
	cd build/fuzz && ./recording -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=3000 \
		-max_len=200000 -len_control=0 corpus

# The toolkit against its models: one program, a name for each part.
OWN_PARTS := vec slice region pool rc box layout track mutex once file task channel gc
build/fuzz/own: fuzz/own.c $(wildcard fuzz/own/*.h src/*/*.[ch] include/loam/*.h)
	@mkdir -p build/fuzz
	clang $(filter-out -MMD -MP -O2 -DNDEBUG,$(ALL_CFLAGS)) -O1 -w -fblocks \
		-fsanitize=fuzzer,address,undefined -o $@ $< $(TARGET_OBJS:$O/obj/%.o=%.c) -pthread -ldl
build/fuzz/own-%: build/fuzz/own
	@mkdir -p build/fuzz/own-corpus/$*
	ln -f $< $@
.PHONY: fuzz-own
fuzz-own: $(OWN_PARTS:%=build/fuzz/own-%)
	cd build/fuzz && for part in $(OWN_PARTS); do ./own-$$part -max_total_time=$(FUZZ_SECONDS) \
		-timeout=20 -max_len=4000 -len_control=0 own-corpus/$$part || exit 1; done

.PHONY: web
web:
	@command -v npm >/dev/null || { echo "make web needs node and npm: apt-get install nodejs npm"; exit 1; }
	cd web && { [ -d node_modules ] || npm ci --ignore-scripts; } && npm run build

clean:
	rm -rf build

-include $(shell find $O/obj -name '*.d' 2>/dev/null)
