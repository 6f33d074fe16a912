// rt.c: bursts, their lock and their watchdog.

#include "lab/rt.h"

#include "lab/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BURST_NS_MAX = 200000000,
    WATCH_NS = 20000000,
    PRIORITY = 10,          // of a burst
    PRIORITY_WATCHDOG = 20, // of the one who ends it
};

// What the watchdog shares with the experiment.
struct watch {
    atomic_int pid;        // of the experiment; 0: none
    atomic_ulong deadline; // in ns of the clock; 0: no burst runs
};

static struct {
    struct watch *watch; // NULL: off
    int lock;
    pid_t watchdog;
    u64 began;
} rt = {.lock = -1};

static void sleep_ns(u64 ns)
{
    struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    nanosleep(&t, NULL);
}

static int become_real_time(int priority)
{
    struct sched_param p = {.sched_priority = priority};
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p) == 0 ? 0 : -errno;
}

// It sleeps nearly always, and needs no processor of its own: its priority is the highest here.
static void watch_over(struct watch *w, pid_t parent, int told)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int r = getppid() == parent ? become_real_time(PRIORITY_WATCHDOG) : -ESRCH;
    if (write(told, &r, sizeof r) != sizeof r || r < 0)
        _exit(1);
    close(told);
    for (;;) {
        sleep_ns(WATCH_NS);
        u64 deadline = atomic_load(&w->deadline);
        int pid = atomic_load(&w->pid);
        if (deadline != 0 && pid > 0 && clock_ns() > deadline) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            atomic_store(&w->deadline, 0);
        }
    }
}

static int start_watchdog(struct watch *w)
{
    int fd[2], r = -EPERM;
    if (pipe2(fd, O_CLOEXEC) != 0)
        return -errno;
    pid_t parent = getpid();
    rt.watchdog = fork();
    if (rt.watchdog == 0)
        watch_over(w, parent, fd[1]);
    close(fd[1]);
    if (rt.watchdog < 0 || read(fd[0], &r, sizeof r) != sizeof r)
        r = -EAGAIN;
    close(fd[0]);
    return r;
}

int rt_open(void)
{
    rt.lock = open("/run/loam-lab.rt", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (rt.lock < 0)
        return -EPERM;
    struct watch *w = MAP_FAILED;
    int r = flock(rt.lock, LOCK_EX | LOCK_NB) == 0 ? 0 : -EBUSY;
    if (r == 0) {
        w = mmap(NULL, sizeof *w, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        r = w == MAP_FAILED ? -errno : start_watchdog(w);
    }
    if (r == 0)
        rt.watch = w;
    else
        rt_close();
    return r;
}

void rt_close(void)
{
    rt.watch = NULL;
    if (rt.watchdog > 0) {
        kill(rt.watchdog, SIGKILL);
        waitpid(rt.watchdog, NULL, 0);
        rt.watchdog = 0;
    }
    if (rt.lock >= 0) {
        unlink("/run/loam-lab.rt");
        close(rt.lock);
        rt.lock = -1;
    }
}

void rt_enter(void)
{
    if (rt.watch == NULL)
        return;
    struct rlimit us = {BURST_NS_MAX / 1000, BURST_NS_MAX / 1000 + 50000};
    if (setrlimit(RLIMIT_RTTIME, &us) != 0) {
        rt.watch = NULL; // without the kernel's own limit: not at all
        return;
    }
    atomic_store(&rt.watch->deadline, 0);
    atomic_store(&rt.watch->pid, getpid());
}

void rt_begin(void)
{
    if (rt.watch == NULL)
        return;
    rt.began = clock_ns();
    atomic_store(&rt.watch->deadline, rt.began + BURST_NS_MAX);
    if (become_real_time(PRIORITY) != 0)
        rt.watch = NULL;
}

void rt_end(void)
{
    if (rt.watch == NULL)
        return;
    struct sched_param none = {0};
    sched_setscheduler(0, SCHED_OTHER, &none);
    atomic_store(&rt.watch->deadline, 0);
    sleep_ns(clock_ns() - rt.began);
}
