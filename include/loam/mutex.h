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
// A pthread mutex underneath (robust, error-checking), so the costs are its. Do not yield a task
// inside of the block. Not for signal handlers.
#ifndef LOAM_MUTEX_H
#define LOAM_MUTEX_H

#include <loam/attr.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

LOAM_BEGIN_C

typedef struct loam_lock {
    pthread_mutex_t mutex;
    unsigned ready;
    bool poisoned; // read and written under the lock
} loam_lock;

// What the macros below call. `heal`: a poisoned one is taken too, and let go healthy.
typedef struct loam_guard {
    loam_lock *lock; // NULL: the block is over
} loam_guard;
LOAM_API void loam_lock_init_(loam_lock *lock);
LOAM_API void loam_lock_done_(loam_lock *lock);
LOAM_API bool loam_lock_poisoned_(loam_lock *lock);
LOAM_API loam_guard loam_guard_begin_(loam_lock *lock, bool heal);
LOAM_API void loam_guard_end_(loam_guard *guard);

// The type: a T that is reached only with the lock held.
#define loam_mutex(T)    \
    struct {             \
        loam_lock lock;  \
        T loam_guarded_; \
    }

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

#define LOAM_WITH_(m, p, heal)                                                                     \
    for (__typeof__(m) p##_mutex_ = (m); p##_mutex_ != NULL; p##_mutex_ = NULL)                    \
        for (__attribute__((cleanup(loam_guard_end_)))                                             \
             loam_guard p##_guard_ = loam_guard_begin_(&p##_mutex_->lock, heal);                   \
             p##_guard_.lock != NULL; loam_guard_end_(&p##_guard_))                                \
            for (__typeof__(&p##_mutex_->loam_guarded_) p = &p##_mutex_->loam_guarded_; p != NULL; \
                 p = NULL)

LOAM_END_C

#endif
