// once.c: initialise once: the callers that come too early.
//
// One word: nobody was here, somebody is inside, done, or somebody is inside and others sleep.
// Sleepers wait on the word itself (futex), and are woken only if there are any.
#include <loam/once.h>

#include "base/base.h"
#include "os/os.h"

#include <errno.h>

enum { ONCE_NEW = 0, ONCE_RUNNING = 1, ONCE_DONE = LOAM_ONCE_DONE_, ONCE_AWAITED = 3 };

static _Atomic u32 *state_of(loam_once *once)
{
    return (_Atomic u32 *)&once->state; // plain in the header, because C++ has no _Atomic
}

static uintptr_t me(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}

// Wait until whoever is inside has come out, one way or the other.
static void wait_for_runner(loam_once *once, u32 seen)
{
    if (unlikely(__atomic_load_n(&once->runner, __ATOMIC_RELAXED) == me()))
        die("once: the initialiser needs itself", once);
    if (seen == ONCE_AWAITED ||
        atomic_compare_exchange_strong_explicit(state_of(once), &seen, ONCE_AWAITED,
                                                memory_order_relaxed, memory_order_relaxed))
        os_wait(state_of(once), ONCE_AWAITED, 1000);
}

static int run(loam_once *once, int (*init)(void *), void *arg)
{
    __atomic_store_n(&once->runner, me(), __ATOMIC_RELAXED);
    int r = init(arg);
    __atomic_store_n(&once->runner, 0, __ATOMIC_RELAXED);
    // Release: pairs with the acquires of everybody who finds it done.
    u32 was = atomic_exchange_explicit(state_of(once), r < 0 ? ONCE_NEW : ONCE_DONE,
                                       memory_order_release);
    if (was == ONCE_AWAITED)
        os_wake(state_of(once));
    return r < 0 ? r : 0;
}

int loam_once_slow_(loam_once *once, int (*init)(void *), void *arg)
{
    for (;;) {
        u32 state = ONCE_NEW;
        // Acquire: also what a failed initialiser wrote is seen by the next one.
        if (atomic_compare_exchange_strong_explicit(state_of(once), &state, ONCE_RUNNING,
                                                    memory_order_acquire, memory_order_acquire))
            return run(once, init, arg);
        if (state == ONCE_DONE)
            return 0;
        wait_for_runner(once, state);
    }
}

void *loam_lazy_get_(loam_once *once, int (*init)(void *), size_t value_offset)
{
    void *value = (char *)once + value_offset; // `once` is the first member
    int r = loam_once_run(once, init, value);
    if (r < 0) {
        errno = -r;
        return NULL;
    }
    return value;
}
