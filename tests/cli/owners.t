#!/bin/sh
# The toolkit's owners as the tool sees them.
. "$(dirname "$0")/../lib/tap.sh"
cc=${CC:-gcc}

cat >"$tmp/forgets.c" <<'C'
#include <loam/box.h>
struct a {
    char bytes[500];
};
struct b {
    char bytes[300];
};
__attribute__((noinline)) static void forgets(void)
{
    struct a *p = loam_box_new(struct a, NULL);
    p = loam_forget(p);
    (void)p;
}
__attribute__((noinline)) static void leaks(void)
{
    struct b *volatile q = loam_box_new(struct b, NULL);
    q = NULL;
}
__attribute__((noinline)) static void wipes(void)
{
    volatile char stack[4096];
    for (unsigned i = 0; i < sizeof stack; i++)
        stack[i] = 0;
}
int main(void)
{
    forgets();
    leaks();
    wipes();
    return loam_box_forgotten().boxes != 1 || loam_box_forgotten().bytes != 500;
}
C
ok "builds with -lloam" $cc -g -O1 -I"$top/include" "$tmp/forgets.c" -L"$build" -lloam \
    -Wl,-rpath,"$build" -o "$tmp/forgets"
"$loam" run --leaks --report "$tmp/report" -- "$tmp/forgets" >"$tmp/out" 2>&1
is "what was forgotten is counted" $? 0
like "and is no leak, as one beside it is" "$(cat "$tmp/report")" '^LEAKED +316 bytes in 1 block'
done_testing
