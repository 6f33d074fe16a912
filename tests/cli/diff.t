#!/bin/sh
# loam diff: two recordings, two builds of a program, two labels; the judgement and its exit status.
. "$(dirname "$0")/../lib/tap.sh"
rich=$build/tests/web/rich
[ -x "$loam" ] && [ -x "$rich" ] || skip_all "$loam or $rich is not built"
cd "$tmp" || exit 1
"$rich" a.loam && "$rich" b.loam 5000000 || fail "two recordings"

"$loam" diff a.loam b.loam --by live >out
is "two recordings: exit status 0" "$?" 0
like "the sum of what is live" "$(cat out)" '^ +Live at the end +34\.8 MB -> 39\.8 MB +\+5\.00 MB$'
like "the place that grew" "$(cat out)" '^ +\+5\.00 MB .* 32\.8 MB -> 37\.8 MB'
like "with its function" "$(cat out)" 'cache_put +.*cache\.c:12$'
is "nothing else grew" "$(grep -c 'cache_put\|cache_grow\|buffer_new' out)" 1
"$loam" diff a.loam a.loam >out
is "with itself: nothing grew, nothing shrank" "$(grep -cE '^(GREW|SHRANK) +nothing$' out)" 2
"$loam" diff b.loam a.loam --by live >out
like "the other way: it shrank" "$(cat out)" '^ +-5\.00 MB '

# The judgement: growth of 5,000,000 bytes.
for limit in 4999999 1M 4MiB 4.9MB; do
    "$loam" diff a.loam b.loam --by live --fail-over $limit >out
    is "--fail-over $limit: exit status 1" "$?" 1
    like "and says why" "$(cat out)" '^VERDICT +failed: 1 place grew by more than'
done
for limit in 5M 5000000 5MiB; do
    "$loam" diff a.loam b.loam --by live --fail-over $limit >out
    is "--fail-over $limit: exit status 0" "$?" 0
    like "and says so" "$(cat out)" '^VERDICT +passed: nothing grew by more than'
done
"$loam" diff a.loam b.loam --by live --fail-over 1M --json >out
is "JSON: the same status" "$?" 1
is "JSON: the place, its growth and the verdict" "$(python3 -c '
import json
d = json.load(open("out"))
p = d["places"]
print(d["schema"], d["failed"], d["fail_over"], len(p), p[0]["live"]["change"], p[0]["stack"][0]["function"],
      d["totals"]["live"]["after"] - d["totals"]["live"]["before"])')" \
    "loam-diff/1 True 1000000 1 5000000 cache_put 5000000"
"$loam" diff a.loam b.loam --by live --fail-over 1M --html page.html
is "a page: the same status" "$?" 1
ok "and the page is there" grep -q '"failed":true' page.html

# Labels of one recording.
"$loam" diff a.loam --from warm --to idle >out
like "labels: what is live" "$(cat out)" '^ +Live at the end +4\.50 MB -> 30\.5 MB +\+26\.0 MB$'
like "labels: what was allocated between" "$(cat out)" '^ +Allocations +2,000 -> 6,000 +\+4,000$'
like "labels: names and times" "$(cat out)" '^loam +warm \(0\.4 s\) -> idle \(3\.8 s\)$'
"$loam" diff a.loam --from "after load" --to idle --fail-over 1M >out
is "labels: it shrank, so it passed" "$?" 0
"$loam" diff a.loam --to warm >out
like "without --from: from the start" "$(cat out)" '^ +Live at the end +0 B -> 4\.50 MB'
"$loam" diff a.loam --from idle >out
like "without --to: to the end" "$(cat out)" '^ +Live at the end +30\.5 MB -> 34\.8 MB'
"$loam" diff a.loam --from never 2>err
is "a label that is not there: 2" "$?" 2
like "and those there are" "$(cat err)" 'no label "never" in it; there are "warm", "after load", "idle"\.$'

# Two builds of one program: other lines, other addresses, the same functions.
program()
{
    cat <<EOF
#include <stdlib.h>
$1
char *volatile kept[100];
static __attribute__((noinline)) char *make(size_t n) { return malloc(n); }
static __attribute__((noinline)) void keep(void)
{
    for (int i = 0; i < 100; i++)
        kept[i] = make($2);
}
int main(void)
{
    keep();
    return kept[0] == 0;
}
EOF
}
program "" 1000 >old.c
program "
static __attribute__((noinline, used)) int more(int x) { return x * 7; }
" 3000 >new.c
cc=${CC:-cc}
$cc -g -O1 -fno-optimize-sibling-calls -o prog old.c && "$loam" run -o old.loam --report r -- ./prog
mkdir new && $cc -g -O1 -fno-optimize-sibling-calls -o new/prog new.c && "$loam" run -o new.loam --report r -- new/prog
"$loam" diff old.loam new.loam --fail-over 100k >out
is "two builds: it grew" "$?" 1
like "two builds: one place, told with the lines of the new one" "$(tr -s ' ' <out)" '^ make new\.c:6$|^ make .*/new\.c:6$'
like "two builds: by how much" "$(cat out)" '^ +\+200 kB .* 100 kB -> 300 kB$'

"$loam" diff a.loam 2>err
is "one recording without labels: wrong usage" "$?" 2
"$loam" diff a.loam b.loam --fail-over lots 2>err
is "no size: wrong usage" "$?" 2
echo rubbish >x.loam
"$loam" diff a.loam x.loam 2>err
is "no recording: 1" "$?" 1
like "and which" "$(cat err)" 'x\.loam is not a loam recording'
done_testing
