// thread.c: a thread that stays out of the program's way; futexes with a deadline.
#include "os/thread.h"

#include "os/world.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int thread_start(pthread_t *ret, void *(*fn)(void *), void *arg)
{
    sigset_t quiet, before;
    sigfillset(&quiet);
    sigdelset(&quiet, SIGSEGV); // a blocked fault kills without a word
    sigdelset(&quiet, SIGBUS);
    sigdelset(&quiet, SIGFPE);
    sigdelset(&quiet, SIGILL);
    sigdelset(&quiet, SIGTRAP);
    sigdelset(&quiet, SIGPROF); // profilers want every thread
    if (world_signal() != 0)    // and so does a collector, once there is one
        sigdelset(&quiet, world_signal());
    pthread_sigmask(SIG_SETMASK, &quiet, &before);
    int r = pthread_create(ret, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

void park(_Atomic u32 *word, u32 value, u64 deadline)
{
    int saved = errno;
    struct timespec until = {(time_t)(deadline / 1000000000u), (long)(deadline % 1000000000u)};
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value,
            deadline == PARK_FOREVER ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
    errno = saved;
}

void unpark(_Atomic u32 *word, u32 n)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
    errno = saved;
}
