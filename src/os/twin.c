// twin.c: a copy of the process, made by a bare clone.
//
// Not libc's fork: its handlers take locks that stopped threads may hold, and a program that waits
// for any child would be given ours. With exit signal 0 only wait calls with __WCLONE or __WALL see
// it. If the program takes it away all the same, the shared word still tells whether it finished.
#include "os/twin.h"
#include "os/os.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436 // Linux 5.9
#endif
#define POLL_MS 10

void *twin_memory(size_t size)
{
    if (os_refused())
        return NULL;
    int saved = errno;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    errno = saved;
    return p == MAP_FAILED ? NULL : p;
}

void twin_memory_free(void *p, size_t size)
{
    int saved = errno;
    munmap(p, size);
    errno = saved;
}

static void close_all(void)
{
    if (syscall(SYS_close_range, 0u, ~0u, 0u) == 0)
        return;
    for (long fd = 0; fd < 65536; fd++)
        syscall(SYS_close, fd);
}

// All signals stay blocked from before the clone: no handler of the program runs in the copy.
noreturn_ static void live(_Atomic u32 *done, void (*fn)(void *arg), void *arg)
{
    close_all();
    fn(arg);
    // Release: pairs with the acquire in twin_poll.
    atomic_store_explicit(done, 1, memory_order_release);
    os_wake(done);
    for (;;)
        syscall(SYS_exit_group, 0);
}

int twin_start(struct twin *t, _Atomic u32 *done, void (*fn)(void *arg), void *arg)
{
    int saved = errno;
    sigset_t all, before;
    sigfillset(&all);
    atomic_store_explicit(done, 0, memory_order_relaxed);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    long pid = syscall(SYS_clone, 0l, 0l, 0l, 0l, 0l); // exit signal 0
    if (pid == 0)
        live(done, fn, arg);
    int e = pid < 0 ? -errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *t = (struct twin){.pid = e == 0 ? (int)pid : 0, .done = done};
    errno = saved;
    return e;
}

// True when the copy is gone. Its end is waited for only after it has told that it finished.
static bool reap(struct twin *t, int flags)
{
    int saved = errno, status;
    long r;
    do
        r = syscall(SYS_wait4, t->pid, &status, flags | __WCLONE, NULL);
    while (r < 0 && errno == EINTR);
    errno = saved;
    return r != 0; // also -ECHILD: the program took it
}

int twin_poll(struct twin *t, bool wait)
{
    assert(t->pid != 0);
    for (;;) {
        // Acquire: pairs with the release in live; its results are there.
        if (atomic_load_explicit(t->done, memory_order_acquire)) {
            reap(t, 0);
            t->pid = 0;
            return 1;
        }
        if (reap(t, WNOHANG)) {
            t->pid = 0;
            return atomic_load_explicit(t->done, memory_order_acquire) ? 1 : -ECHILD;
        }
        if (!wait)
            return 0;
        os_wait(t->done, 0, POLL_MS);
    }
}

void twin_kill(struct twin *t)
{
    if (t->pid == 0)
        return;
    if (!reap(t, WNOHANG)) {
        syscall(SYS_kill, t->pid, SIGKILL);
        reap(t, 0);
    }
    t->pid = 0;
}
