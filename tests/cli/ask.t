#!/bin/sh
# `loam sample PID on` for a process that nobody started for it: it only has loam's heap.
. "$(dirname "$0")/../lib/tap.sh"
[ -x "$loam" ] || skip_all "$loam is not built"
command -v python3 >/dev/null || skip_all "python3 is not installed"
cd "$tmp" || exit 1

# Three threads that allocate until somebody writes into the pipe that is its input, or takes it away.
cat >prog.c <<'C'
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int stop;
static char *volatile kept[1000];
__attribute__((noinline)) static char *churn(size_t n) { return malloc(n); }
__attribute__((noinline)) static char *keep(void) { return malloc(50000); }
static void *work(void *arg)
{
    char *p[64] = {0};
    for (unsigned i = 0; !stop; i++) {
        free(p[i % 64]);
        p[i % 64] = churn(1000 + i % 5000);
        p[i % 64][0] = 1;
        if (i % 1000 == 0)
            poll(0, 0, 1);
    }
    for (unsigned i = 0; i < 64; i++)
        free(p[i]);
    return arg;
}
static void filter(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog all = {1, &allow};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all);
}
int main(int argc, char **argv)
{
    pthread_t t[3];
    char word = 0;
    if (argc > 1 && *argv[1] == 'f')
        filter();
    if (argc > 1 && *argv[1] == 'i') { // idle
        kept[0] = churn(1);
        write(1, "ready\n", 6);
        return read(0, &word, 1) < 0;
    }
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], 0, work, 0);
    write(1, "ready\n", 6);
    read(0, &word, 1);
    for (int i = 0; i < 1000 && word == 'k'; i++)
        kept[i] = keep();
    write(1, "kept\n", 5);
    if (fork() == 0)
        _exit(malloc(1000000) == 0); // a child of a program that was asked
    if (word == 'k')
        read(0, &word, 1);
    stop = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], 0);
    int status;
    wait(&status);
    return status != 0;
}
C
ok "the program" ${CC:-cc} -O1 -g -o prog prog.c -pthread

# start ARGUMENT...: $pid, whose input is descriptor 7.
start()
{
    rm -f in
    mkfifo in
    : >out
    LD_PRELOAD=$so ./prog "$@" <in >out &
    pid=$!
    exec 7>in
    until grep -q ready out; do :; done
}
end()
{
    exec 7>&-
    wait $pid
}
until_said() { until grep -q "$1" said || ! kill -0 $2 2>/dev/null; do sleep 0.05; done; }

start
"$loam" sample $pid 64K -o it.loam >report 2>said 7>&- &
tool=$!
until_said 'is sampled' $tool
like "it answers" "$(cat said)" "process $pid is sampled"
like "loam sample tells" "$("$loam" sample $pid)" '^on, one block in 65536 bytes'
like "loam ps tells" "$("$loam" ps 2>/dev/null | grep " $pid ")" sampled
printf k >&7
until grep -q kept out; do :; done
ok "loam top looks on" sh -c "'$loam' top --once $pid >top"
kill -INT $tool
wait $tool
is "Ctrl-C ends it" $? 0
like "and reports" "$(cat report)" 'churn .*prog.c:12'
like "what was kept" "$(cat report)" 'keep .*prog.c:13'
like "estimates" "$(cat report)" 'one block in 65.5 kB was looked at'
"$loam" report it.loam --json >it.json
cat >check.py <<'P'
import json
r = json.load(open("it.json"))
assert r["program"]["ended_ns"] is None and r["program"]["command"].endswith("prog")
assert r["processes"][0]["sample_bytes"] == 65536
parts = r["accounts"][0]["highest"]["parts"]
assert parts["waste"] is None and parts["live"] > 0, parts  # sizes of samples alone are known
live = sum(p["live"]["bytes"] for p in r["places"]
           if any(r["frames"][f]["function"] == "keep" for f in p["stack"]))
assert 25e6 < live < 75e6, live  # 50 MB, some 760 samples
P
ok "true on average" python3 check.py
"$loam" sample $pid on >out2 2>said
is "once: refused" $? 1
like "and why" "$(cat said)" 'was sampled before'
end
is "the program has noticed nothing" $? 0

start
"$loam" sample $pid on >report 2>said 7>&- &
tool=$!
until_said 'is sampled' $tool
end
is "a program that ends while it is sampled" $? 0
wait $tool
is "the tool ends with it" $? 0
like "and reports" "$(cat report)" 'TOTAL'

start
"$loam" sample $pid on >report 2>said 7>&- &
tool=$!
until_said 'is sampled' $tool
kill -KILL $tool
wait $tool 2>err
printf k >&7
until grep -q kept out; do :; done
end
is "a tool that is killed harms nobody" $? 0

start f
"$loam" sample $pid on >report 2>said
is "a filter of system calls: refused" $? 1
like "and why" "$(cat said)" 'filter of system calls'
end
is "left alone" $? 0

start i
timeout -s INT 2 "$loam" sample $pid on >report 2>said
like "one that allocates nothing" "$(cat said)" 'has allocated nothing meanwhile'
end
is "left alone, too" $? 0
"$loam" sample $$ on >report 2>said
is "not on loam's heap: refused" $? 1
like "and what to do" "$(cat said)" "is not on loam's heap: start it with LD_PRELOAD=libloam.so"
done_testing
