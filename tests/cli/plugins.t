#!/bin/sh
# Libraries that are unloaded, and others loaded in their place: each leak stands at the function of
# the library that it came from, though all three lie at the same addresses.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
cd "$tmp" || exit 1

for name in red green blue; do
    cat >lib.c <<END
#include <stdlib.h>
void *volatile last_$name;
__attribute__((noinline)) void make_$name(size_t n)
{
    last_$name = malloc(n);
    last_$name = NULL;
}
void make(size_t n)
{
    make_$name(n);
    last_$name = NULL;
}
END
    ok "lib$name.so compiles" "${CC:-cc}" -g -O1 -fno-builtin -shared -fPIC -o "lib$name.so" lib.c
done
cat >prog.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    const char *names[] = {"./libred.so", "./libgreen.so", "./libblue.so"};
    void *at[3] = {0};
    int same = 1;
    for (int i = 0; i < 30; i++) {
        void *lib = dlopen(names[i % 3], RTLD_NOW);
        void (*make)(size_t) = lib != NULL ? (void (*)(size_t))dlsym(lib, "make") : NULL;
        if (make == NULL)
            return 1;
        if (at[0] == NULL)
            at[0] = (void *)make;
        same &= (void *)make == at[0];
        make(1000 + (size_t)i % 3 * 1000);
        dlclose(lib);
    }
    puts(same ? "same place" : "other places");
    return 0;
}
END
ok "prog compiles" "${CC:-cc}" -g -O1 -o prog prog.c -ldl

LC_ALL=C.UTF-8 "$loam" run --leaks --report report --json json -- ./prog >out
is "its exit status is its own" $? 0
[ "$(cat out)" = "same place" ] || echo "# the libraries were not loaded at one address this time"
is "three places leak, ten blocks each" "$(grep -c '  in 10 blocks' report)" 3
for pair in red:10.0 green:20.0 blue:30.0; do
    name=${pair%:*} size=${pair#*:}
    like "what lib$name.so leaked stands there" \
        "$(grep -A1 "^ *$size kB .* in 10 blocks" report | tail -1)" "make_$name "
done

done_testing
