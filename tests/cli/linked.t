#!/bin/sh
# A program that was linked with libloam_malloc.a, under loam run: two copies of loam in one
# process. The linked one does the work; the report shows one process, and no frame of loam's.
. "$(dirname "$0")/../lib/tap.sh"
command -v python3 >/dev/null || skip_all "python3 is not installed"

cat >"$tmp/prog.c" <<'END'
#include <stdlib.h>
#include <string.h>
void *volatile kept;
__attribute__((noinline)) static void forget(void)
{
    kept = memset(malloc(1234), 1, 1234);
    kept = NULL;
}
int main(void)
{
    for (int i = 0; i < 20; i++) // a stale copy on the stack may hold the last one
        forget();
    return 3;
}
END
ok "it compiles" "${CC:-cc}" -g -O0 -o "$tmp/prog" "$tmp/prog.c" "$build/libloam_malloc.a" -pthread

LC_ALL=C.UTF-8 "$loam" run --leaks --report "$tmp/report" --json "$tmp/json" -- "$tmp/prog"
is "its exit status is its own" $? 3
like "the leak is found" "$(cat "$tmp/report")" '^LEAKED +2[34],[0-9]+ bytes in (19|20) blocks, from 1 place'
like "the innermost frame is the program's" "$(sed '1,/^LEAKED/d' "$tmp/report" | sed -n 4p)" \
    '^ +forget +.*prog\.c:6'
is "no word of another allocator" "$(grep 'own allocator' "$tmp/report")" ""
field()
{
    python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$tmp/json" "$1"
}
is "one process" "$(field 'len(o["processes"])') $(grep -c '^PROCESSES' "$tmp/report")" "1 0"

# All blocks were written, so all of their bytes are in RAM; loam's own may come on top.
is "the account of RSS is of the heap that is used" \
    "$(field '[24680 <= a["last"]["parts"]["live"] < 26000 for a in o["accounts"]]')" "[True]"

done_testing
