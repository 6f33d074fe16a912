// C2 arena: how often a million mallocs ask the kernel.

#include "lab/allocators.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 1000000, LIVE = 1000 };

static void allocate(const struct allocator *a, struct rng r)
{
    static char *block[LIVE];
    for (u32 i = 0; i < CALLS; i++) {
        char **at = &block[rng_below(&r, LIVE)];
        a->give(*at);
        *at = a->take(16 + rng_below(&r, 500));
        **at = 1;
    }
}

// A child that stops before the first call and ends after the last.
static pid_t start(const struct allocator *a, const struct lab *l)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0) {
        raise(SIGSTOP);
        allocate(a, l->rng);
        raise(SIGSTOP);
    }
    _exit(0);
}

// How many system calls it makes between its two stops; -1: they cannot be counted.
static long count(pid_t pid)
{
    int status;
    long stops = 0;
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)))
        return -1;
    for (;;) {
        if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) != 0 || waitpid(pid, &status, 0) != pid)
            return -1;
        if (!WIFSTOPPED(status))
            return -1;
        if (WSTOPSIG(status) == SIGSTOP)
            return stops / 2; // in and out
        stops += WSTOPSIG(status) == (SIGTRAP | 0x80);
    }
}

static long calls_of(const struct allocator *a, const struct lab *l)
{
    pid_t pid = start(a, l);
    if (pid < 0)
        return -1;
    long n = count(pid);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return n > 2 ? n - 2 : n; // raise() itself asks for the thread and sends the signal
}

static void run(struct lab *l)
{
    struct allocator a[ALLOCATORS_MAX];
    u32 n = allocators_find(a);
    lab_table(l, "system calls of 1,000,000 mallocs and frees", "heap|system calls");
    for (u32 i = 0; i < n; i++) {
        long calls = calls_of(&a[i], l);
        if (calls < 0) {
            lab_cannot(l, i == 0 ? "per_thousand" : NULL, "a child cannot be traced here");
            return;
        }
        lab_row(l, "%s|%ld", a[i].name, calls);
        if (i == 0)
            lab_exact(l, "per_thousand", (double)calls * 1000 / CALLS, "calls");
        if (i == 1)
            lab_exact(l, "loam_per_thousand", (double)calls * 1000 / CALLS, "calls");
    }
}

static const struct claim claims[] = {
    {S0, NULL, "system calls of 1,000 mallocs", "asks for big chunks", "per_thousand", 0, 1,
     "calls"},
    {S3, "topic 4", "system calls of 1,000 mallocs", "not a system call for each", "per_thousand",
     0, 1, "calls"},
};

LAB_EXPERIMENT(C2) = {
    .question = "Does every malloc ask the kernel for memory?",
    .prediction = "No. The heap asks for a large chunk now and then, and cuts blocks from it.",
    .method = "A child replaces random ones of a thousand blocks, a million times, and is stopped "
              "at each system call (ptrace). The number is exact; time plays no part.",
    .look =
        "A few dozen calls for a million mallocs: the kernel's price, a hundred times that of a "
        "malloc, is shared by thousands of them.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
