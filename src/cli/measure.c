// measure.c: start a program under ptrace, follow its processes, read their peaks as they end.

#include "cli/measure.h"

#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRACED_MAX = 4096 };

struct watch {
    const struct measure_order *order;
    struct measure_result *result;
    pid_t main;
    bool ended; // the main process has
    u64 start, deadline;
    pid_t traced[TRACED_MAX]; // processes alive under us: only their numbers are safe to kill
    size_t traced_count;
};

// ---------------------------------------------------------------- what /proc tells

// VmHWM of a process that is about to end, in bytes.
static u64 peak_of(pid_t pid)
{
    char path[64], line[256];
    u64 kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtoull(line + 6, NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return kib * KiB;
}

// Is the library mapped there? The loader only warns if it cannot preload one, and a run without
// it would be told as if it had been there.
static bool has_mapped(pid_t pid, const char *library)
{
    char path[64], line[PATH_MAX + 256];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *f = fopen(path, "re");
    while (f != NULL && !found && fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = 0;
        const char *file = strchr(line, '/');
        found = file != NULL && strcmp(file, library) == 0;
    }
    if (f != NULL)
        fclose(f);
    return found;
}

static void look_at_end(struct watch *w, pid_t pid)
{
    u64 peak = peak_of(pid);
    w->result->peak = peak > w->result->peak ? peak : w->result->peak;
    if (!w->result->preloaded && *w->order->preload != 0)
        w->result->preloaded = has_mapped(pid, w->order->preload);
}

// ---------------------------------------------------------------- start

__attribute__((noreturn)) static void be_the_program(const struct measure_order *o, int go,
                                                     int tell)
{
    char c;
    int null = open("/dev/null", O_RDONLY), e;
    bool ready = setpgid(0, 0) == 0 && dup2(null, 0) == 0 && dup2(o->out, 1) == 1 &&
                 dup2(o->err, 2) == 2 && (o->dir == NULL || chdir(o->dir) == 0);
    ready = ready && setenv("BENCH_PRELOAD", o->preload, 1) == 0;
    if (*o->preload == 0 || o->is_script)
        unsetenv("LD_PRELOAD");
    else
        ready = ready && setenv("LD_PRELOAD", o->preload, 1) == 0;
    signal(SIGINT, SIG_DFL);
    // Until the other end is closed we are not traced yet.
    if (ready && read(go, &c, 1) == 0)
        execvp(o->argv[0], o->argv);
    e = errno;
    if (write(tell, &e, sizeof e) < 0) {
        // The parent is gone; nobody to tell.
    }
    _exit(127);
}

static bool trace(pid_t pid)
{
    long options =
        PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;
    return ptrace(PTRACE_SEIZE, pid, NULL, options) == 0;
}

// Fork, trace, exec. 0 or -errno. If exec failed there is a child that ends by itself.
static int start(struct watch *w)
{
    int go[2], tell[2], e = 0;
    if (pipe2(go, O_CLOEXEC) != 0)
        return -errno;
    if (pipe2(tell, O_CLOEXEC) != 0) {
        e = errno;
        close(go[0]);
        close(go[1]);
        return -e;
    }
    w->main = fork();
    if (w->main == 0) {
        close(go[1]);
        be_the_program(w->order, go[0], tell[1]);
    }
    e = w->main < 0 ? errno : 0;
    w->result->traced = w->main > 0 && trace(w->main);
    w->start = os_monotonic_ns();
    w->deadline = w->start + w->order->limit * (u64)1000000000;
    close(go[0]);
    close(go[1]);
    close(tell[1]);
    if (w->main > 0 && read(tell[0], &e, sizeof e) < 0)
        e = errno;
    close(tell[0]);
    return -e;
}

// ---------------------------------------------------------------- follow

static void note(struct watch *w, pid_t pid)
{
    for (size_t i = 0; i < w->traced_count; i++) {
        if (w->traced[i] == pid)
            return;
    }
    if (w->traced_count < TRACED_MAX)
        w->traced[w->traced_count++] = pid;
}

static void forget(struct watch *w, pid_t pid)
{
    for (size_t i = 0; i < w->traced_count; i++) {
        if (w->traced[i] == pid)
            w->traced[i] = w->traced[--w->traced_count];
    }
}

// All of them, in whatever process group they are by now.
static void kill_all(struct watch *w)
{
    for (size_t i = 0; i < w->traced_count; i++)
        kill(w->traced[i], SIGKILL);
    if (!w->ended)
        kill(-w->main, SIGKILL);
}

// A traced process has stopped: look if it ends, then let it go on as if we were not there.
static void let_go_on(struct watch *w, pid_t pid, int status)
{
    int event = status >> 16, signal = WSTOPSIG(status);
    if (event == PTRACE_EVENT_EXIT)
        look_at_end(w, pid);
    if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
        ptrace(PTRACE_LISTEN, pid, NULL, NULL); // stopped by SIGSTOP or the like: it stays so
        return;
    }
    ptrace(PTRACE_CONT, pid, NULL, event == 0 ? (long)signal : 0);
}

// One division, so that it is the number that the same digits in a file will be read as.
static double seconds(struct timeval t)
{
    return (double)(t.tv_sec * 1000000 + t.tv_usec) / 1e6;
}

static void main_ended(struct watch *w, int status, const struct rusage *u)
{
    struct measure_result *r = w->result;
    r->wall = (double)(os_monotonic_ns() - w->start) / 1e9;
    r->user = seconds(u->ru_utime);
    r->sys = seconds(u->ru_stime);
    r->faults = (u64)u->ru_minflt;
    r->status = status;
    // Above our own peak it cannot be ours: it then is exact, and knows of processes that we do
    // not.
    u64 peak = (u64)u->ru_maxrss * KiB;
    if (peak > r->peak && (peak > peak_of(getpid()) || !r->traced))
        r->peak = peak;
    w->ended = true;
    kill_all(w);
}

static int follow(struct watch *w)
{
    struct rusage u;
    int status, r = 0;
    for (;;) {
        pid_t pid = wait4(-1, &status, __WALL, &u);
        if (pid < 0 && errno == ECHILD)
            return r;
        if (pid < 0) { // EINTR: a tick of the clock, or ^C
            w->result->timed_out =
                w->result->timed_out || (!w->ended && os_monotonic_ns() > w->deadline);
            r = measure_interrupted() ? -EINTR : r;
            if (w->result->timed_out || r < 0)
                kill_all(w);
            continue;
        }
        if (WIFSTOPPED(status)) {
            note(w, pid);
            if (w->ended)
                kill(pid, SIGKILL); // born too late to be met by kill_all
            let_go_on(w, pid, status);
            continue;
        }
        forget(w, pid);
        if (pid == w->main)
            main_ended(w, status, &u);
    }
}

// ---------------------------------------------------------------- interruptions

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
    if (signal == SIGINT)
        interrupted = 1;
}

bool measure_interrupted(void)
{
    return interrupted != 0;
}

// A tick every 100 ms, so that a wait ends to look at the clock. The one that comes between the
// look and the wait is made good by the next.
static void set_ticks(bool on)
{
    struct sigaction a = {.sa_handler = on_signal}; // no SA_RESTART: wait4 is to return
    struct itimerval t = {{0, on ? 100000 : 0}, {0, on ? 100000 : 0}};
    sigaction(SIGALRM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
    setitimer(ITIMER_REAL, &t, NULL);
}

int measure_run(const struct measure_order *order, struct measure_result *ret_result)
{
    static struct watch w;
    *ret_result = (struct measure_result){.wall = 0};
    w = (struct watch){.order = order, .result = ret_result};
    prctl(PR_SET_CHILD_SUBREAPER, 1); // orphans come to us, so that none is left, dead or alive
    int r = start(&w);
    set_ticks(true);
    int followed = w.main > 0 ? follow(&w) : 0;
    set_ticks(false);
    return r < 0 ? r : followed;
}
