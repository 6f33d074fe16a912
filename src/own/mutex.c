// mutex.c: a lock that owns what it protects.
//
// A robust pthread mutex tells when its owner's thread has ended, which is what poisoning is made
// of: the kernel keeps the list of locks a thread holds. Error-checking tells a thread that waits
// for itself. Both cost little beside a plain one.
#include <loam/mutex.h>

#include "base/base.h"
#include "own/debug.h"
#include "own/lock_order.h"

#include <errno.h>

#define READY 0x10c4ab1eu

void loam_lock_init_(loam_lock *lock)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&lock->mutex, &attr);
    pthread_mutexattr_destroy(&attr);
    lock->poisoned = false;
    lock->ready = READY;
    if (debugging())
        lock_order_reset(lock);
}

// The end, with the place where the lock was taken, if that is known.
static noreturn_ cold_ void tell(const char *what, const loam_lock *lock, const char *now)
{
    struct note n;
    struct telling t = {what, lock, "taken here", now, NULL, NULL};
    t.first = note_find(NOTE_LOCK_TAKEN, lock, 0, &n) ? &n : NULL;
    debug_die(&t);
}

// Destroying a robust mutex does not check; trying to take it does.
void loam_lock_done_(loam_lock *lock)
{
    if (lock->ready != READY)
        return;
    int r = pthread_mutex_trylock(&lock->mutex);
    if (unlikely(r != 0 && r != EOWNERDEAD)) // EBUSY, or EDEADLK for our own
        tell("mutex: done while it is locked", lock, "done here");
    if (r == EOWNERDEAD)
        pthread_mutex_consistent(&lock->mutex);
    lock->ready = 0;
    if (debugging())
        lock_order_reset(lock);
    pthread_mutex_unlock(&lock->mutex);
    pthread_mutex_destroy(&lock->mutex);
}

static void take(loam_lock *lock)
{
    if (unlikely(lock->ready != READY))
        die("mutex: not initialised, or done", lock);
    if (debugging())
        lock_order_take(lock);
    int r = pthread_mutex_lock(&lock->mutex);
    if (likely(r == 0))
        return;
    if (r == EDEADLK)
        tell("mutex: locked twice by one thread", lock, "locked again here");
    if (r != EOWNERDEAD)
        die("mutex: this is none", lock);
    pthread_mutex_consistent(&lock->mutex);
    lock->poisoned = true;
}

static void give(loam_lock *lock)
{
    if (unlikely(pthread_mutex_unlock(&lock->mutex) != 0))
        die("mutex: let go by a thread that does not hold it", lock);
}

bool loam_lock_poisoned_(loam_lock *lock)
{
    take(lock);
    bool poisoned = lock->poisoned;
    give(lock);
    return poisoned;
}

loam_guard loam_guard_begin_(loam_lock *lock, bool heal)
{
    take(lock);
    if (unlikely(lock->poisoned && !heal))
        tell("mutex: poisoned: a thread ended while it held it", lock, "wanted here");
    lock->poisoned = false;
    if (debugging())
        lock_order_took(lock);
    return (loam_guard){lock};
}

void loam_guard_end_(loam_guard *guard)
{
    if (guard->lock == NULL)
        return;
    if (debugging())
        lock_order_gave(guard->lock);
    give(guard->lock);
    guard->lock = NULL;
}
