// lock.c: a lock of one word that knows its holder.
//
// The heap's locks are held for well under a microsecond, so waiters spin; but a holder may lose
// its processor, and then they sleep until it gives the lock. (They looked again every microsecond
// once: of 64 threads on two cores, all slept 44,000 times in a fifth of a second.) The word holds
// the thread pointer, unique among running threads and free to read; a signal handler that finds
// its own there has interrupted the holder and must do without the lock.
#include "os/os.h"

// Bit 0: somebody may sleep. Thread pointers are even.
#define SLEEPERS ((uintptr_t)1)
#define SPINS    64
// Sleepers are woken; this is for one whose waker was the parent of a fork.
#define SLEEP_MS 10

static uintptr_t me(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}

bool lock_held(struct lock *l)
{
    return (atomic_load_explicit(&l->holder, memory_order_relaxed) & ~SLEEPERS) == me();
}

// The half of the word that has the bit, for futex; amd64 stores it first.
static _Atomic u32 *lock_word(struct lock *l)
{
    return (_Atomic u32 *)&l->holder;
}

static bool try(struct lock *l, uintptr_t holder)
{
    uintptr_t free = 0;
    // Acquire: pairs with the release in lock_give.
    return atomic_compare_exchange_strong_explicit(&l->holder, &free, holder, memory_order_acquire,
                                                   memory_order_relaxed);
}

bool lock_try(struct lock *l)
{
    return try(l, me());
}

// Until the lock changes hands, or for a while.
static void sleep(struct lock *l)
{
    uintptr_t seen = atomic_load_explicit(&l->holder, memory_order_relaxed);
    if (seen == 0 || (!(seen & SLEEPERS) && !atomic_compare_exchange_strong_explicit(
                                                &l->holder, &seen, seen | SLEEPERS,
                                                memory_order_relaxed, memory_order_relaxed)))
        return;
    os_wait(lock_word(l), (u32)(seen | SLEEPERS), SLEEP_MS);
}

enum lock_got lock_take_until(struct lock *l, u64 end)
{
    for (unsigned spins = 0; spins < SPINS; spins++) {
        if (lock_try(l))
            return LOCK_GOT;
        if (lock_held(l))
            return LOCK_MINE;
        cpu_relax();
    }
    // Who has slept does not know whether others still do.
    while (!try(l, me() | SLEEPERS)) {
        if (end != 0 && os_coarse_ms() > end)
            return LOCK_MISSED;
        sleep(l);
    }
    return LOCK_GOT;
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
    if (atomic_exchange_explicit(&l->holder, 0, memory_order_release) & SLEEPERS)
        os_wake_one(lock_word(l));
}
