// child.c: fork, exec, wait, and terminal manners.

#include "cli/child.h"

#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Passed on to the program when somebody sends them to us alone. SIGALRM: an alarm that was set
// before we were started was meant for the program, but exec kept it for us.
static const int forwarded[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM};
// From the terminal, to the whole group: the program answers them, not we.
static const int shared[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};

static bool is_one_of(int signal, const int *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == signal)
            return true;
    }
    return false;
}

// ---------------------------------------------------------------- starting

// A blocked signal is queued even if it is ignored; one that was ignored must stay so.
static void watch(struct child *c, const int *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sigaction a;
        if (sigaction(list[i], NULL, &a) == 0 && a.sa_handler != SIG_IGN)
            sigaddset(&c->watched, list[i]);
    }
}

static void block_signals(struct child *c)
{
    sigemptyset(&c->watched);
    watch(c, forwarded, countof(forwarded));
    watch(c, shared, countof(shared));
    sigaddset(&c->watched, SIGCHLD);
    // Where SIGCHLD was ignored, the kernel would throw the program's exit status away.
    struct sigaction normal = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &normal, &c->old_chld);
    sigprocmask(SIG_BLOCK, &c->watched, &c->old_mask);
}

void child_prepare(struct child *c)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGXFSZ, &ignore, &c->old_xfsz);
    if (getrlimit(RLIMIT_FSIZE, &c->old_file_size) != 0)
        c->old_file_size.rlim_cur = c->old_file_size.rlim_max = RLIM_INFINITY;
    struct rlimit most = {c->old_file_size.rlim_max, c->old_file_size.rlim_max};
    setrlimit(RLIMIT_FSIZE, &most);
}

// PYTHONMALLOC: Python's pools would hide its objects in blocks of 256 KiB or more.
static int set_environment(const struct child_setting *set)
{
    return setenv("LD_PRELOAD", set->preload, 1) | setenv("LOAM", set->loam, 1) |
           setenv("PYTHONMALLOC", "malloc", 0);
}

__attribute__((noreturn)) static void be_the_program(struct child *c,
                                                     const struct child_setting *set, int tell)
{
    sigaction(SIGCHLD, &c->old_chld, NULL);
    sigaction(SIGXFSZ, &c->old_xfsz, NULL);
    sigprocmask(SIG_SETMASK, &c->old_mask, NULL);
    setrlimit(RLIMIT_FSIZE, &c->old_file_size);
    if (set_environment(set) == 0)
        execvp(set->program, set->argv);
    int e = errno;
    if (write(tell, &e, sizeof e) < 0) {
        // The parent is gone; nobody to tell.
    }
    _exit(127);
}

int child_start(struct child *c, const struct child_setting *set)
{
    int tell[2], e = 0;
    if (pipe2(tell, O_CLOEXEC) != 0) // closed by a successful exec
        return -errno;
    block_signals(c);
    c->pid = fork();
    if (c->pid == 0)
        be_the_program(c, set, tell[1]);
    if (c->pid < 0)
        e = errno;
    close(tell[1]);
    if (c->pid > 0 && read(tell[0], &e, sizeof e) == (ssize_t)sizeof e)
        waitpid(c->pid, NULL, 0);
    close(tell[0]);
    if (e != 0)
        child_done(c);
    return -e;
}

// ---------------------------------------------------------------- waiting

// Stop as the program was stopped, so that the shell sees a stopped job; after `fg`, or a SIGCONT
// for us alone, let it run on.
static void stop_too(struct child *c, int signal)
{
    sigset_t one;
    struct timespec none = {0};
    sigemptyset(&one);
    sigaddset(&one, signal);
    sigtimedwait(&one, NULL, &none); // our own of the terminal's ^Z: we stop once, not twice
    raise(signal);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    sigprocmask(SIG_BLOCK, &one, NULL);
    kill(c->pid, SIGCONT);
}

// Look at the child without taking anything: 1 if it has ended, with its wait status.
//
// WNOWAIT because a ptrace stop of the child, which belongs to the thread that scans it, would be
// handed to us too, and taken away there.
static int look(struct child *c, int *ret_status)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0)
        return 0;
    if (info.si_code == CLD_STOPPED && info.si_status != SIGSTOP &&
        is_one_of(info.si_status, shared, countof(shared)))
        stop_too(c, info.si_status);
    if (info.si_code != CLD_EXITED && info.si_code != CLD_KILLED && info.si_code != CLD_DUMPED)
        return 0;
    while (waitpid(c->pid, ret_status, 0) < 0 && errno == EINTR) {
    }
    return 1;
}

int child_wait(struct child *c)
{
    int status = 0;
    while (look(c, &status) == 0) {
        siginfo_t info = {0};
        struct timespec second = {.tv_sec = 1}; // a look now and then costs nothing
        int signal = sigtimedwait(&c->watched, &info, &second);
        // SI_KERNEL: the terminal hung up on the whole group; the program knows.
        bool for_us_alone = signal == SIGALRM || info.si_code != SI_KERNEL;
        if (signal > 0 && for_us_alone && is_one_of(signal, forwarded, countof(forwarded)))
            kill(c->pid, signal);
    }
    return status;
}

void child_done(struct child *c)
{
    struct timespec none = {0};
    while (sigtimedwait(&c->watched, NULL, &none) > 0) {
    }
    sigaction(SIGCHLD, &c->old_chld, NULL);
    sigprocmask(SIG_SETMASK, &c->old_mask, NULL);
}

void child_end_like(int status)
{
    if (!WIFSIGNALED(status))
        exit(WEXITSTATUS(status));
    int signal = WTERMSIG(status);
    fflush(NULL); // a signal flushes nothing
    struct sigaction normal = {.sa_handler = SIG_DFL};
    sigset_t one;
    // One core dump, the program's, is enough.
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_DUMPABLE, 0);
    sigemptyset(&one);
    sigaddset(&one, signal);
    sigaction(signal, &normal, NULL);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    raise(signal);
    exit(128 + signal); // as process 1 of a container, which its own signals do not end
}
