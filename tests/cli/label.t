#!/bin/sh
# Labels and the timeline: from outside by `loam label`, from inside by <loam/label.h>.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
command -v python3 >/dev/null || skip_all "python3 is not installed"
cd "$tmp" || exit 1

cat >prog.c <<'C'
#include <loam/label.h>
#include <stdio.h>
#include <stdlib.h>
static void *hold(size_t n) { return malloc(n); }
int main(int argc, char **argv)
{
    void *volatile p[10];
    int noted = loam_label("begun");
    for (int i = 0; i < 10; i++)
        p[i] = hold(1000);
    noted += loam_label("held");
    if (argc > 1) { // wait for the shell to set its own
        puts("ready");
        fflush(stdout);
        getchar();
    }
    for (int i = 0; i < 9; i++)
        free(p[i]);
    noted += loam_label("let go");
    fprintf(stderr, "noted %d\n", noted);
    return argc < 0 ? p[9] != NULL : 0;
}
C
cc=${CC:-cc}
ok "a program with labels needs no library" $cc -Wall -Werror -I "$top/include" -g -o prog prog.c
is "without loam they do nothing" "$(./prog 2>&1)" "noted 0"
"$loam" run --json report.json -- ./prog >out 2>err
like "under loam all are noted" "$(cat err)" "^noted 3"

cat >check.py <<'P'
import json, sys
r = json.load(open("report.json"))
labels = r["labels"]
assert [l["name"] for l in labels] == sys.argv[1:], [l["name"] for l in labels]
pid = r["processes"][0]["pid"]
mine = {i for i, p in enumerate(r["places"])
        if any(r["frames"][f]["function"] == "hold" for f in p["stack"])}
def held(l):
    return sum(p["live"]["bytes"] for p in l["places"] if p["place"] in mine)
held_by = {l["name"]: held(l) for l in labels}
assert held_by["held"] - held_by["begun"] == 10000, held_by
assert held_by["let go"] - held_by["begun"] == 1000, held_by
for a, b in zip(labels, labels[1:]):
    assert a["at_ns"] <= b["at_ns"] and a["allocations"] <= b["allocations"]
assert all(l["pid"] == pid and not l["cut"] for l in labels)
for l in labels:  # a label's places sum to its totals
    assert sum(p["live"]["bytes"] for p in l["places"]) == l["live"]["bytes"]
moments = r["moments"]
assert len(moments) >= 1
assert all(a["at_ns"] < b["at_ns"] for a, b in zip(moments, moments[1:]))
last = moments[-1]
assert last["allocations"] == r["allocations"] and last["frees"] == r["frees"]
assert last["allocated_bytes"] == r["allocated_bytes"]
for m in moments:
    assert all(r["places"][t["place"]]["stack"] is not None for t in m["top"])
P
ok "what was held at each of them" python3 check.py begun held "let go"

# The same names again: `no-pie`, and with the toolkit linked.
ok "not position-independent" $cc -no-pie -I "$top/include" -g -o fixed prog.c
"$loam" run -- ./fixed >out 2>err
like "fixed: noted" "$(cat err)" "^noted 3"
ok "linked with libloam.a" $cc -I "$top/include" -g -o linked prog.c "$build/libloam.a" -pthread
"$loam" run -- ./linked >out 2>err
like "linked: noted by the copy that watches" "$(cat err)" "^noted 3"

# From outside.
mkfifo in out.fifo
"$loam" run --json report.json -- ./prog wait <in >out.fifo 2>err &
run=$!
exec 8>in 9<out.fifo
read -r _ <&9
pid=$(ps -o pid= --ppid $run | tr -d ' ')
"$loam" label "$pid" "from outside" >o 2>e
is "loam label: status" $? 0
is "and not a word" "$(cat o e)" ""
echo >&8
exec 8>&-
wait $run
ok "it stands between the others" python3 check.py begun held "from outside" "let go"

# What can go wrong.
wrong()
{
    name=$1 expected=$2 sentence=$3
    shift 3
    "$loam" label "$@" >o 2>e
    is "$name: status" $? "$expected"
    like "$name: sentence" "$(cat e)" "$sentence"
    is "$name: nothing on stdout" "$(cat o)" ""
}
wrong "no name" 2 'which process, and what name' 1
wrong "an empty name" 2 'which process, and what name' 1 ""
wrong "a long name" 2 'too long' $$ "$(printf '%0120d' 1)"
wrong "no number" 2 'loam label: ' prog name
wrong "not recorded" 1 'is not recorded' $$ name
wrong "no such process" 1 'there is no process' 999999999 name
ok "over" sh -c "LOAM=record=/nowhere/x sleep 60 & p=\$!
    until tr '\\0' '\\n' </proc/\$p/environ | grep -q '^LOAM='; do :; done
    '$loam' label \$p x 2>e; r=\$?; kill \$p; test \$r = 1"
like "recorded once, but no more" "$(cat e)" "has ended"
done_testing
