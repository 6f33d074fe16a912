#!/bin/sh
# What only the tool can see while a program runs: pages never touched, names of threads, RSS.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
command -v python3 >/dev/null || skip_all "python3 is not installed"
cd "$tmp" || exit 1

cat >prog.c <<'C'
#define _GNU_SOURCE
#include <loam/label.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static char *filled(void) { return malloc(20000000); }
static char *sparse(void) { return malloc(100000000); }
static char *calloced(void) { return calloc(1, 50000000); }
static void *work(void *arg)
{
    pthread_setname_np(pthread_self(), arg);
    free(malloc(100));
    usleep(1500000);
    loam_label("now"); // the tool looks when it is asked, or once a second
    return NULL;
}
int main(void)
{
    pthread_t t;
    char *a = filled(), *b = sparse(), *c = calloced();
    memset(a, 1, 20000000);
    memset(b, 1, 10000000);
    c[0] = 1;
    pthread_create(&t, NULL, work, "a worker");
    pthread_join(t, NULL);
    free(malloc(1));
    return a[5] + b[5] + c[5] != 2;
}
C
ok "the program" ${CC:-cc} -O0 -g -I "$top/include" -o prog prog.c -pthread
"$loam" run --json report.json -- ./prog >out 2>err
is "status" $? 0
cat >check.py <<'P'
import json
r = json.load(open("report.json"))
def place(name):
    return next(p for p in r["places"]
                if any(r["frames"][f]["function"] == name for f in p["stack"]))
for name, size, touched in (("filled", 20e6, 20e6), ("sparse", 100e6, 10e6), ("calloced", 50e6, 0)):
    p = place(name)
    # Huge pages come whole.
    assert abs(p["large_bytes"] - size) < 40000, (name, p["large_bytes"])
    assert abs(p["large_bytes"] - p["untouched_bytes"] - touched) < 2.2e6, (name, p)
threads = {t["name"]: t for p in r["processes"] for t in p["threads"]}
assert threads["a worker"]["ended_ns"] is None or threads["a worker"]["ended_ns"] > 0, threads
assert threads["prog"]["allocations"] >= 4
now = next(l for l in r["labels"] if l["name"] == "now")
assert 30e6 < now["rss_bytes"] < 100e6, now["rss_bytes"]
assert any(m["rss_bytes"] and m["rss_bytes"] > 30e6 for m in r["moments"])
P
ok "untouched pages, threads, RSS" python3 check.py
done_testing
