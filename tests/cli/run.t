#!/bin/sh
# `loam run` around a program: statuses, streams, messages, and what it leaves behind.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
mkdir "$tmp/work" && cd "$tmp/work" || exit 1

# status NAME EXPECTED COMMAND...: runs it, out and err kept in $tmp.
status()
{
    name=$1 expected=$2
    shift 2
    "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    is "$name" $? "$expected"
}

# refused NAME STATUS SENTENCE COMMAND...: one line on stderr, nothing on stdout, that status.
refused()
{
    what=$1 wanted=$2 sentence=$3
    shift 3
    status "$what: status" "$wanted" "$@"
    is "$what: sentence" "$(cat "$tmp/err")" "$sentence"
    is "$what: stdout is empty" "$(cat "$tmp/out")" ""
}

# ---- the program's own end

for code in 0 1 7 125 127 255; do
    status "exit status $code passes through" $code "$loam" run -- sh -c "exit $code"
done
for pair in SEGV:11 KILL:9 TERM:15 INT:2 PIPE:13; do
    signal=${pair%:*} number=${pair#*:}
    sh -c '"$@" 2>/dev/null' - "$loam" run -- sh -c "kill -$signal \$\$" 2>/dev/null
    is "death by SIG$signal passes through" $? $((128 + number))
done
ulimit -c unlimited 2>/dev/null
mkdir core
sh -c 'cd core && "$@"; true' - "$loam" run -- sh -c 'ulimit -c 0; kill -QUIT $$' >/dev/null 2>&1
is "loam itself leaves no core" "$(ls core)" ""

# ---- streams

printf 'a\0b\n\377' >"$tmp/in"
"$loam" run -- cat <"$tmp/in" >"$tmp/out" 2>"$tmp/err"
ok "stdin and stdout pass through byte for byte" cmp -s "$tmp/in" "$tmp/out"
like "the report goes to stderr" "$(cat "$tmp/err")" '^TOTAL '
"$loam" run --report "$tmp/report" -- sh -c 'echo err >&2' 2>"$tmp/err"
is "with --report stderr holds only what the program wrote" "$(cat "$tmp/err")" "err"
like "and the file holds the report" "$(cat "$tmp/report")" '^loam  +sh -c'
"$loam" run --report "$tmp/report" --json "$tmp/json" -- true
like "--json writes JSON" "$(cat "$tmp/json")" '"schema": "loam-report/1"'
is "the program has the streams it is given and nothing else" \
    "$("$loam" run --report "$tmp/report" -- sh -c 'ls -l /proc/self/fd' </dev/null 3>&- |
        awk '$NF ~ /loam/')" ""
status "closed streams stay closed" 0 \
    "$loam" run --report "$tmp/report" -- sh -c '! { true >&3; } 2>/dev/null'
"$loam" run --report "$tmp/report" -- sh -c 'readlink /proc/$$/fd/0 || echo closed' <&- >"$tmp/out"
is "a closed stdin is found closed" "$(cat "$tmp/out")" "closed"
"$loam" run -- sh -c 'exit 4' 2>&-
is "a closed stderr costs only the report" $? 4
"$loam" run -- sh -c 'exit 5' 2>/dev/full
is "a full stderr, too" $? 5

# ---- the environment

seen()
{
    "$loam" run --report "$tmp/report" -- sh -c "echo \$$1" 2>&1
}
like "LOAM names the recording" "$(seen LOAM)" '^record=/.*/loam-recording-'
like "LOAM is added to" "$(LOAM=mode=default seen LOAM)" '^mode=default,record=/'
like "LD_PRELOAD names the library" "$(seen LD_PRELOAD)" '^/.*/libloam.so$'
like "LD_PRELOAD is added to" "$(LD_PRELOAD=libm.so.6 seen LD_PRELOAD)" '/libloam.so:libm.so.6$'
is "PYTHONMALLOC is set" "$(seen PYTHONMALLOC)" malloc
is "unless it is set already" "$(PYTHONMALLOC=debug seen PYTHONMALLOC)" debug

# ---- programs that cannot be seen into, or are none

refused "no such program" 127 "loam run: no such program: 'nosuchprogram'." \
    "$loam" run -- nosuchprogram
refused "no such path" 127 "loam run: no such program: './none'." "$loam" run ./none
refused "a folder" 126 "loam run: '/' is a folder, not a program." "$loam" run /
echo text >plain
refused "not executable" 126 "loam run: './plain' may not be executed (see chmod(1))." \
    "$loam" run ./plain
mkdir bin && cp plain bin/denied
PATH=$PWD/bin:$PATH refused "in PATH, not executable" 126 \
    "loam run: 'denied' is found in PATH, but you may not execute it." "$loam" run denied
printf '\0\1\2\3' >junk && chmod +x junk
refused "not a program" 126 "loam run: './junk' is not a program." "$loam" run ./junk
printf '\177ELF\1\1\1' >short && chmod +x short
refused "a damaged program" 126 "loam run: './short' is a damaged program file." "$loam" run ./short
printf '#!/nowhere/sh\n' >script && chmod +x script
refused "a script without its interpreter" 127 \
    "loam run: './script' is a script for /nowhere/sh, which is not there." "$loam" run ./script
printf 'echo from a script; exit 3\n' >bare && chmod +x bare
status "a script without #! is given to sh" 3 "$loam" run ./bare
is "and runs" "$(cat "$tmp/out")" "from a script"
echo 'int main(void) { return 0; }' >p.c
if ${CC:-cc} -static -o static p.c 2>/dev/null; then
    refused "a static binary" 125 "loam run: './static' is a static binary: no loader would load \
libloam into it. Link it with libloam_malloc.a instead." "$loam" run ./static
else
    skip "a static binary" "no static libc"
fi
${CC:-cc} -o dynamic p.c || fail "compile"
cp dynamic musl && printf '/lib/ld-musl-x86_64.so.1\0' >interp
at=$(grep -abo '/lib64/ld-linux' musl | head -1 | cut -d: -f1)
dd if=interp of=musl bs=1 seek="$at" conv=notrunc 2>/dev/null
refused "a program for musl" 125 "loam run: './musl' is built for musl; libloam works with glibc \
only." "$loam" run ./musl
cp dynamic lost && printf '/lib64/ld-none\0' >interp
dd if=interp of=lost bs=1 seek="$at" conv=notrunc 2>/dev/null
refused "a program without its loader" 127 \
    "loam run: './lost' needs the loader /lib64/ld-none, which is not there." "$loam" run ./lost
cp dynamic arm && printf '\267\0' | dd of=arm bs=1 seek=18 conv=notrunc 2>/dev/null
refused "a program for another machine" 126 \
    "loam run: './arm' is built for another kind of machine." "$loam" run ./arm
cp dynamic i386 && printf '\3\0' | dd of=i386 bs=1 seek=18 conv=notrunc 2>/dev/null
refused "a 32-bit program" 125 \
    "loam run: './i386' is a 32-bit program; loam sees 64-bit ones only." "$loam" run ./i386
if [ "$(id -u)" = 0 ] && chmod 755 "$tmp" "$tmp/work" && cp dynamic setuid &&
    chown nobody setuid && chmod 4755 setuid; then
    refused "a setuid program" 125 "loam run: './setuid' is setuid: the loader keeps libraries \
like loam's out of it. Run it as the user it runs as." "$loam" run ./setuid
else
    skip "a setuid program" "needs root"
fi

if ${CC:-cc} -fsanitize=address -o asan p.c 2>/dev/null; then
    refused "a program with a sanitizer" 125 "loam run: './asan' is built with AddressSanitizer, \
which brings its own allocator. Build it without." "$loam" run ./asan
else
    skip "a program with a sanitizer" "no libasan"
fi
cat >own.c <<'EOF'
#include <stddef.h>
static char pool[1 << 20];
static size_t at;
void *malloc(size_t n) { void *p = pool + at; at += (n + 15) & ~15ul; return p; }
void free(void *p) { (void)p; }
void *calloc(size_t a, size_t b) { return malloc(a * b); }
void *realloc(void *p, size_t n) { return p == NULL ? malloc(n) : NULL; }
int main(void) { return malloc(100) == NULL ? 1 : 12; }
EOF
${CC:-cc} -rdynamic -o own own.c || fail "compile"
status "a program with its own allocator runs" 12 "$loam" run ./own
like "and is told" "$(cat "$tmp/err")" "^NOTE +own brings its own allocator"
status "a limit on file sizes holds for the program only" 5 sh -c 'ulimit -S -f 10
    exec "$@"' - "$loam" run -- sh -c '[ "$(ulimit -f)" = 10 ] && exit 5'

# ---- output that cannot be written

refused "an output folder that is not there" 125 "loam run: the recording cannot be kept in \
/nowhere/x.loam: No such file or directory." "$loam" run -o /nowhere/x.loam -- true
refused "a report that cannot be written" 125 "loam run: the report cannot be written to \
/nowhere/x: No such file or directory." "$loam" run --report /nowhere/x -- true
refused "no file is overwritten by mistake" 125 "loam run: plain is there and is no recording; it \
is not overwritten." "$loam" run -o plain -- true
is "and it is untouched" "$(cat plain)" text
status "a full disk changes no status" 6 "$loam" run -o /dev/full -- sh -c 'exit 6'
like "and is told" "$(cat "$tmp/err")" '^loam run: the recording in /dev/full is not whole: No space'
like "and the report is printed all the same" "$(cat "$tmp/err")" '^TOTAL '
XDG_STATE_HOME=/proc/none status "no place for the last recording changes no status" 6 \
    "$loam" run -- sh -c 'exit 6'
like "and is told, too" "$(cat "$tmp/err")" '^loam run: the recording is not kept in /proc/none'

# ---- recordings

"$loam" run -o kept.loam -- sh -c 'exit 9' 2>/dev/null
like "a kept recording is shown" "$("$loam" report kept.loam)" 'exit 9. .* exit status 9$'
like "and is the last one, too" "$("$loam" report)" 'exit 9. .* exit status 9$'
"$loam" run -o kept.loam -- sh -c 'exit 8' 2>/dev/null
like "a recording takes an older one's place" "$("$loam" report kept.loam)" 'exit status 8$'
"$loam" run -- sh -c 'exit 2' 2>/dev/null
like "the last one is the last one" "$("$loam" report)" 'exit status 2$'
like "and the kept one stays" "$("$loam" report kept.loam)" 'exit status 8$'
is "nothing is left in /dev/shm" "$(ls /dev/shm | grep "^loam-recording-$$-")" ""
done_testing
