// lock.c: a lock of one word that knows its holder.
//
// The heap's locks are held for well under a microsecond, so waiters spin, then give the processor
// away: on two cores a holder is often just preempted. The word holds the thread pointer, unique
// among running threads and free to read; a signal handler that finds its own there has
// interrupted the holder and must do without the lock.
#include "os/os.h"

static uintptr_t me(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}

bool lock_held(struct lock *l)
{
    return atomic_load_explicit(&l->holder, memory_order_relaxed) == me();
}

bool lock_try(struct lock *l)
{
    uintptr_t free = 0;
    // Acquire: pairs with the release in lock_give.
    return atomic_compare_exchange_strong_explicit(&l->holder, &free, me(), memory_order_acquire,
                                                   memory_order_relaxed);
}

enum lock_got lock_take_until(struct lock *l, u64 end)
{
    for (unsigned spins = 0;; spins++) {
        if (lock_try(l))
            return LOCK_GOT;
        if (lock_held(l))
            return LOCK_MINE;
        if (spins % 64 != 63)
            cpu_relax();
        else if (end != 0 && os_coarse_ms() > end)
            return LOCK_MISSED;
        else
            os_yield();
    }
}

bool lock_take(struct lock *l)
{
    return lock_take_until(l, 0) == LOCK_GOT;
}

void lock_break(struct lock *l)
{
    atomic_store_explicit(&l->holder, 0, memory_order_relaxed);
}

void lock_give(struct lock *l)
{
    assert(lock_held(l));
    atomic_store_explicit(&l->holder, 0, memory_order_release);
}
