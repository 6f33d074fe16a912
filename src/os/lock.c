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

bool lock_take(struct lock *l)
{
    uintptr_t self = me();
    for (unsigned spins = 0;; spins++) {
        uintptr_t free = 0;
        // Acquire: pairs with the release in lock_give.
        if (atomic_compare_exchange_weak_explicit(&l->holder, &free, self, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
        if (free == self)
            return false;
        if (spins % 64 == 63)
            os_yield();
        else
            cpu_relax();
    }
}

void lock_give(struct lock *l)
{
    assert(lock_held(l));
    atomic_store_explicit(&l->holder, 0, memory_order_release);
}
