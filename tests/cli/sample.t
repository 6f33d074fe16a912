#!/bin/sh
# Sampling: estimates near the truth, errors told, on and off while the program runs.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
command -v python3 >/dev/null || skip_all "python3 is not installed"
cd "$tmp" || exit 1

cat >prog.c <<'C'
#include <stdio.h>
#include <stdlib.h>
static char *small(void) { return malloc(100); }
static char *large(void) { return malloc(3000000); }
int main(int argc, char **argv)
{
    (void)argv;
    for (int round = 0; round < (argc > 1 ? 3 : 1); round++) {
        for (int i = 0; i < 300000; i++) // 30 MB that stay
            small()[0] = 1;
        for (int i = 0; i < 10; i++)
            large()[0] = 1;
        for (int i = 0; i < 1000000; i++)
            free(small());
        if (argc > 1) {
            puts("ready");
            fflush(stdout);
            getchar();
        }
    }
    return 0;
}
C
ok "the program" ${CC:-cc} -O0 -g -o prog prog.c

cat >check.py <<'P'
import json, sys
r = json.load(open("report.json"))
mean = int(sys.argv[1])
rounds = float(sys.argv[2])
p = r["processes"][-1]
assert p["sample_bytes"] == mean
def of(name):
    mine = [q for q in r["places"] if any(r["frames"][f]["function"] == name for f in q["stack"])]
    total = lambda key: sum(key(q) for q in mine)
    return (total(lambda q: q["live"]["bytes"]), total(lambda q: q["live"]["blocks"]),
            total(lambda q: q["live_samples"]), total(lambda q: q["allocations"]))
# A sample stands for 512 KiB: of 30 MB there are 60, so the error is 13 %; six times that.
for name, size, n in ("small", 100, 300000), ("large", 3000000, 10):
    live, blocks, samples, allocs = of(name)
    want = size * n * rounds
    error = 6 / max(1, samples) ** 0.5 if name == "small" else 0.2
    assert abs(live / want - 1) < error, (name, live, want, samples)
    assert abs(blocks / (n * rounds) - 1) < error, (name, blocks)
assert sum(q["allocated_bytes"] for q in r["places"]) == r["allocated_bytes"]
assert [n for n in r["notes"] if n["code"] == "sampled"]
P
"$loam" run --sample --json report.json -- ./prog >out 2>err
is "status" $? 0
ok "estimates are near the truth" python3 check.py 524288 1
like "the report says that they are estimates" "$(cat err)" "These are estimates"
like "and how sure each is" "$(cat err)" "blocks  (±|\\+-|~) *[0-9]+ %"
"$loam" run --sample=64K --json report.json -- ./prog >out 2>err
ok "with more samples, nearer" python3 check.py 65536 1

# On and off.
mkfifo in out.fifo
"$loam" run --sample=off --json report.json -- ./prog wait <in >out.fifo 2>err &
run=$!
exec 8>in 9<out.fifo
read -r _ <&9
pid=$(ps -o pid= --ppid $run | tr -d ' ')
is "off at first" "$("$loam" sample "$pid")" "off, one block in 524288 bytes"
"$loam" sample "$pid" on >o 2>e
is "on: status" $? 0
is "on: not a word" "$(cat o e)" ""
is "on" "$("$loam" sample "$pid")" "on, one block in 524288 bytes"
echo >&8
read -r _ <&9
"$loam" sample "$pid" off
echo >&8
read -r _ <&9
exec 8>&-
wait $run
ok "one round of three was sampled" python3 check.py 524288 1

wrong()
{
    name=$1 expected=$2 sentence=$3
    shift 3
    "$loam" "$@" >o 2>e
    is "$name: status" $? "$expected"
    like "$name: sentence" "$(cat e)" "$sentence"
    is "$name: nothing on stdout" "$(cat o)" ""
}
wrong "neither on nor off" 2 "'on', 'off' or a size" sample $$ perhaps
wrong "not on loam" 1 "is not on loam's heap" sample $$ on
wrong "not recorded" 1 'is not recorded' sample $$ off
wrong "no size" 2 'is no size' run --sample=many -- true
wrong "size zero" 2 'is no size' run --sample=0 -- true
wrong "with --leaks" 2 'choose one of them' run --leaks --sample -- true
cat >child.sh <<'S'
"$1" sample $$ on
S
cat >rate.sh <<'S'
"$1" sample $$ 1M
S
wrong "another rate" 0 'is sampled already, one block in 524288 bytes' run --sample -- sh -c 'sh rate.sh "$1"; true' - "$loam"
wrong "tracked in full" 0 'is not sampled: all its blocks are counted' run -- sh -c 'sh child.sh "$1"; true' - "$loam"
LOAM=sample=1M "$loam" run --json report.json -- ./prog >out 2>err
ok "LOAM=sample= in a run that counts all" python3 check.py 1048576 1
done_testing
