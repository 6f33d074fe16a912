// mutex.h: a lock that owns what it protects.
//
// The data lies inside the mutex and is reached through it, so it cannot be touched without the
// lock by mistake, and nobody wonders which lock belongs to what. The lock is held for a block of
// code, and let go whatever way the block is left.
//
//     #include <loam/mutex.h>
//     #include <stdio.h>
//     struct account { int cents; };
//     static loam_mutex(struct account) shared;
//     int main(void)
//     {
//         loam_mutex_init(&shared);                 // the data stays as it is: here all zero
//         loam_with(&shared, a)                     // `a` is a struct account *
//             a->cents += 5;
//         loam_with(&shared, a) {
//             printf("%d\n", a->cents);
//             if (a->cents < 0) return 1;           // let go here too
//         }
//         loam_mutex_done(&shared);
//     }
//
// When a thread ends while it holds the lock, what it was changing may be half changed: the mutex
// is poisoned then, and the next loam_with ends the program, unless somebody heals it first. (A
// block that pthread_exit or cancellation leaves runs its clean-ups in code compiled with
// -fexceptions; that counts as leaving it in order.) Always told, by one line and SIGABRT: a
// thread that locks what it has locked, and a mutex that is poisoned, not initialised or done
// while it is locked. Told by nothing: a pointer to the data that is kept beyond the block.
//
// It costs what a plain pthread mutex does: an atomic instruction to take and one to let go, none
// while the process has one thread. Waiters sleep in the kernel. Do not yield a task inside of the
// block. Not for signal handlers, and not in memory that processes share.
#ifndef LOAM_MUTEX_H
#define LOAM_MUTEX_H

#include <loam/attr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

LOAM_BEGIN_C

typedef struct LOAM_THREAD_(capability("mutex")) loam_lock {
    uint32_t word; // 0 = free, 1 = taken, 2 = taken, and somebody may wait
    uint32_t ready;
    uint32_t owner;         // thread; 0 = none
    bool poisoned;          // read and written under the lock
    struct loam_lock *next; // that the owner took before this one
} loam_lock;

// What the macros below call. `heal`: a poisoned one is taken too, and let go healthy.
typedef struct loam_guard {
    loam_lock *lock; // NULL: the block is over
} loam_guard;
LOAM_API void loam_lock_init_(loam_lock *lock) LOAM_NONNULL(1);
LOAM_API void loam_lock_done_(loam_lock *lock) LOAM_NONNULL(1);
LOAM_API bool loam_lock_poisoned_(loam_lock *lock) LOAM_NONNULL(1);
LOAM_API loam_guard loam_guard_begin_(loam_lock *lock, bool heal) LOAM_NONNULL(1)
    LOAM_THREAD_(assert_capability(lock));
LOAM_API void loam_guard_end_(loam_guard *guard) LOAM_NONNULL(1);
static inline bool loam_lock_left_(loam_lock *lock) LOAM_THREAD_(release_capability(lock))
    LOAM_THREAD_(no_thread_safety_analysis);
static inline bool loam_lock_left_(loam_lock *lock)
{
    (void)lock;
    return false;
}

// In C, clang cannot name one member in the attribute of another.
#ifdef __cplusplus
#define LOAM_GUARDED_ LOAM_THREAD_(guarded_by(lock))
#else
#define LOAM_GUARDED_
#endif

// The type: a T that is reached only with the lock held.
#define loam_mutex(T)                  \
    struct {                           \
        loam_lock lock;                \
        T loam_guarded_ LOAM_GUARDED_; \
    }

// For a function that is only to be called with the lock of a mutex held, as in
//     static void add(struct account *a, int n) LOAM_LOCKED(&shared);
// clang's -Wthread-safety warns about calls from elsewhere. Other compilers take no notice.
#define LOAM_LOCKED(m) LOAM_THREAD_(requires_capability((m)->lock))

// Make the lock ready. The data is not touched: give it a first value where the mutex is declared
// ({.loam_guarded_ = ...}), or in the first loam_with. A mutex must not be moved from here on.
#define loam_mutex_init(m) loam_lock_init_(&(m)->lock)

// The end of the lock, which nobody may hold. The data is not touched.
#define loam_mutex_done(m) loam_lock_done_(&(m)->lock)

// Has a thread ended with the lock held, and nobody healed the data since?
#define loam_mutex_poisoned(m) loam_lock_poisoned_(&(m)->lock)

// Run the statement that follows with the lock held and `p` pointing to the data. `break` leaves
// it. Waits as long as another thread holds the lock.
#define loam_with(m, p) LOAM_WITH_(m, p, false)

// The same for data that may be poisoned: the statement puts it in order. Then it is not poisoned.
#define loam_heal(m, p) LOAM_WITH_(m, p, true)

// The second half of the first loop's condition is never reached: it tells clang's analysis, which
// knows nothing of cleanups, that the lock is not held behind the block. Compilers drop it.
#define LOAM_WITH_(m, p, heal)                                                                     \
    for (__attribute__((cleanup(loam_guard_end_)))                                                 \
         loam_guard p##_guard_ = loam_guard_begin_(&(m)->lock, heal);                              \
         p##_guard_.lock != NULL || (p##_guard_.lock != NULL && loam_lock_left_(&(m)->lock) && 0); \
         loam_guard_end_(&p##_guard_))                                                             \
        for (__typeof__(&(m)->loam_guarded_) p = (__typeof__(&(m)->loam_guarded_))((               \
                 void *)((char *)p##_guard_.lock +                                                 \
                         __builtin_offsetof(__typeof__(*(m)), loam_guarded_)));                    \
             p != NULL; p = NULL)

LOAM_END_C

#endif
