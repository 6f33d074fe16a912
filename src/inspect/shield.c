// shield.c: fork, limits, wait.

#include "inspect/shield.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS_MAX 120
#define NO_CHILD    (-1000)

static void limit(int what, rlim_t most)
{
    struct rlimit r;
    if (getrlimit(what, &r) != 0)
        return;
    if (r.rlim_cur == RLIM_INFINITY || r.rlim_cur > most)
        r.rlim_cur = most;
    setrlimit(what, &r);
}

// Half of the machine's memory, at most 8 GiB. What is only mapped from files does not count.
static rlim_t memory_limit(void)
{
    u64 half = (u64)sysconf(_SC_PHYS_PAGES) * (u64)sysconf(_SC_PAGESIZE) / 2;
    return half < 8 * GiB ? half : 8 * GiB;
}

static void child(int (*work)(void *ctx), void *ctx, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(125);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, SECONDS_MAX);
    limit(RLIMIT_DATA, memory_limit());
    int status = work(ctx);
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    _exit(written || status != 0 ? status : 125);
}

int shield_run(int (*work)(void *ctx), void *ctx)
{
    int status;
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        child(work, ctx, parent);
    while (pid > 0 && waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return NO_CHILD;
    }
    if (pid < 0)
        return NO_CHILD;
    int ended = WIFEXITED(status) ? 0 : WTERMSIG(status);
    // Nobody reads on ("loam asm ... | head"), or somebody wants an end: then that is ours, too.
    if (ended == SIGPIPE || ended == SIGINT || ended == SIGTERM || ended == SIGHUP) {
        signal(ended, SIG_DFL);
        raise(ended);
    }
    return ended == 0 ? WEXITSTATUS(status) : -ended;
}

const char *shield_words(int result)
{
    if (result == NO_CHILD)
        return "no process could be started to read it";
    if (result == -SIGXCPU)
        return "reading it took more than two minutes: it is damaged, or too big";
    return "it is damaged, so badly that the libraries that read it fail";
}
