#!/bin/sh
# The account of RSS in recordings: it adds up, as text, JSON, page and metrics; fragmentation is
# blamed on the place whose blocks keep it.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
command -v python3 >/dev/null || skip_all "python3 is not installed"
cd "$tmp" || exit 1

# 40 MB, of which one block in forty stays. The labels make the tool look; it is asked until it has.
cat >prog.c <<'C'
#include <loam/label.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define BLOCKS 400000
static char *kept[BLOCKS], *lost[BLOCKS];
__attribute__((noinline)) static char *keep(void) { return memset(malloc(100), 1, 100); }
__attribute__((noinline)) static char *lose(void) { return memset(malloc(100), 1, 100); }
int main(void)
{
    unsigned k = 0, l = 0;
    for (unsigned i = 0; i < BLOCKS; i++)
        if (i % 40 == 0)
            kept[k++] = keep();
        else
            lost[l++] = lose();
    for (int i = 0; i < 20; i++)
        loam_label("full"), usleep(100000);
    while (l > 0)
        free(lost[--l]);
    return kept[k - 1][0] != 1;
}
C
ok "the program" ${CC:-cc} -O1 -g -I "$top/include" -o prog prog.c
"$loam" run --leaks -o it.loam --report report.txt -- ./prog
is "status" $? 0
"$loam" report it.loam --json >it.json
cat >check.py <<'P'
import json
r = json.load(open("it.json"))
a = r["accounts"][0]
# A heap that changes while it is read is not known: its parts are null, and in the others.
for x in (a["highest"], a["last"], *r["rss"]):
    assert sum(v or 0 for v in x["parts"].values()) == x["rss_bytes"] > 0, x
assert None not in a["last"]["parts"].values(), a["last"]
assert a["highest"]["rss_bytes"] >= a["last"]["rss_bytes"]
last = a["last"]  # taken while the process waited for its scan: exact
assert last["parts"]["live"] == r["live"]["bytes"], (last["parts"], r["live"])
assert last["live_blocks"] == r["live"]["blocks"]
assert last["parts"]["waste"] == 10000 * 12, last["parts"]
f = last["fragmentation"]
assert f["slabs"] > 100 and f["rss_bytes"] > 20e6 and f["live_bytes"] == 10000 * 112, f
first = f["places"][0]
names = [r["frames"][n]["function"] for n in r["places"][first["place"]]["stack"]]
assert "keep" in names and first["blocks"] == 10000, (names, first)
assert first["pinned_bytes"] == f["rss_bytes"] - f["live_bytes"], (first, f)
P
ok "the account adds up, and blames the place" python3 check.py
like "the report: what was in RAM" "$(cat report.txt)" 'RSS .* MB in RAM at the most'
like "and fragmentation" "$(grep -A3 FRAGMENTED report.txt)" 'kept by 10,000 blocks in .* slabs'
like "with its place" "$(grep -A5 FRAGMENTED report.txt)" 'keep .*prog.c:7'
"$loam" report it.loam --export openmetrics >metrics
is "metrics: the parts add up" "$(sed -n 's/^loam_resident_bytes{.*} //p' metrics | awk '{ s += $1 } END { printf "%d", s }')" \
    "$(python3 -c 'import json; print(json.load(open("it.json"))["accounts"][0]["last"]["rss_bytes"])')"
"$loam" report it.loam --html page.html
like "the page has it" "$(cat page.html)" '"ram":'
done_testing
