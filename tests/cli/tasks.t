#!/bin/sh
# Tasks as the tools see them: Valgrind, the leak scan, a backtrace, exceptions of C++.
. "$(dirname "$0")/../lib/tap.sh"
cc=${CC:-gcc}
case $cc in clang*) cxx=clang++ ;; *) cxx=g++ ;; esac

if command -v valgrind >/dev/null; then
    valgrind --error-exitcode=9 "$build/examples/20_tasks" >"$tmp/valgrind" 2>&1 </dev/null
    is "Valgrind has nothing to say about 10,000 tasks" \
        "$?$(grep -c 'switching stacks' "$tmp/valgrind")" 00
else
    skip "Valgrind has nothing to say about 10,000 tasks" "valgrind is not installed"
fi

# Ten tasks wait and hold a block each by a local variable alone, one has lost its own; then an
# eleventh ends the program. With OLD the kernel knows no guards, and stacks are mappings.
cat >"$tmp/held.c" <<'C'
#include <errno.h>
#include <loam/task.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef OLD
int madvise(void *p, size_t n, int advice)
{
    if (advice == 102) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_madvise, p, n, advice);
}
#endif
__attribute__((noinline)) static void hold(loam_chan *c)
{
    char *volatile p = malloc(100);
    strcpy(p, "held");
    int n;
    loam_chan_recv(c, &n);
    free(p);
}
static void holds(void *chan)
{
    hold(chan);
}
__attribute__((noinline)) static void lose(void)
{
    char *volatile p = malloc(77);
    strcpy(p, "lost");
    p = NULL;
}
__attribute__((noinline)) static void wipe(void) // what dead frames left on the stack
{
    volatile char room[2048];
    for (unsigned i = 0; i < sizeof room; i++)
        room[i] = 0;
}
static void ends(void *arg)
{
    (void)arg;
    exit(5);
}
static void all(void *arg)
{
    (void)arg;
    loam_chan *c = loam_chan_new(sizeof(int), 0);
    int e = 0;
    lose();
    wipe();
    for (int i = 0; i < 10; i++)
        e |= loam_go("holds", holds, c, NULL);
    loam_task_yield();
    e |= loam_go("ends", ends, NULL, NULL);
    while (e == 0)
        loam_task_yield();
}
int main(void)
{
    return loam_task_run(NULL, all, NULL);
}
C
for old in "" -DOLD; do
    what=${old:+", with stacks that are mappings"}
    if ! $cc -g -O1 -D_GNU_SOURCE $old -I"$top/include" "$tmp/held.c" "$build/libloam.a" -pthread \
        -o "$tmp/held" >"$tmp/cc" 2>&1; then
        fail "builds$what"
        show "$tmp/cc"
        continue
    fi
    "$loam" run --leaks --report "$tmp/report" -- "$tmp/held" >"$tmp/out" 2>&1 </dev/null
    is "exit in a task is the program's$what" $? 5
    like "what a waiting task's local variable holds is no leak$what" "$(cat "$tmp/report")" \
        '^LEAKED +77 bytes in 1 block'
    like "the backtrace goes to the task's first function$what" "$(cat "$tmp/report")" \
        'all +.*/held\.c:'
done

cat >"$tmp/throws.cc" <<'C'
#include <loam/task.h>
#include <stdexcept>
static int caught;
static int thrower(int n)
{
    if (n == 0)
        throw std::runtime_error("thrown");
    loam_task_yield();
    return thrower(n - 1) + 1;
}
static void catcher(void *)
{
    for (int i = 0; i < 100; i++)
        try {
            thrower(i % 7);
        } catch (std::exception &) {
            caught++;
        }
}
static void all(void *)
{
    for (int i = 0; i < 20; i++)
        if (loam_go("catcher", catcher, nullptr, nullptr) != 0)
            return;
}
int main()
{
    return loam_task_run(nullptr, all, nullptr) != 0 || caught != 2000;
}
C
if $cxx -O2 -I"$top/include" "$tmp/throws.cc" "$build/libloam.a" -pthread -o "$tmp/throws" \
    >"$tmp/cc" 2>&1; then
    "$tmp/throws" >/dev/null 2>&1
    is "C++ throws and catches within each task" $? 0
else
    fail "C++ builds"
    show "$tmp/cc"
fi

done_testing
