#!/bin/sh
# A program that was linked with libloam_malloc.a, under loam run: two copies of loam in one
# process. The linked one does the work; the report shows one process, and no frame of loam's.
. "$(dirname "$0")/../lib/tap.sh"

cat >"$tmp/prog.c" <<'END'
#include <stdlib.h>
void *volatile kept;
__attribute__((noinline)) static void forget(void)
{
    kept = malloc(1234);
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
    '^ +forget +.*prog\.c:5'
is "no word of another allocator" "$(grep 'own allocator' "$tmp/report")" ""
is "one process" "$(grep -c '"pid"' "$tmp/json") $(grep -c '^PROCESSES' "$tmp/report")" "2 0"

done_testing
