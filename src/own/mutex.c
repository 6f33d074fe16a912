// mutex.c: a lock that owns what it protects.
//
// A robust, error-checking pthread mutex makes the same promises, but costs four times as much as a
// plain one (23 ns a pair against 5 in a process of one thread, 16 in one of several): the kernel
// must be able to follow its list at any instruction. This lock is a word to wait on, and the list
// of what a thread holds is looked at only when the thread ends in order, by the destructor of a
// key. Of a thread that ended otherwise (a bare exit system call) waiters find out: they ask the
// kernel now and then whether the owner is still there.
#include <loam/mutex.h>

#include "base/base.h"
#include "os/os.h"
#include "os/share.h"
#include "own/debug.h"
#include "own/lock_order.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/single_threaded.h>

// K1  word != 0 iff a thread has the lock; 2 if another one may sleep.
// K2  owner != 0 only while the lock is taken: who has it sets it after taking and clears it before
//     letting go. So a thread that reads its own number has the lock.
// K3  a lock is in `held` of the thread that has it, the newest one first.
#define READY   0x10c4ab1eu
#define LOOK_MS 100 // after which a waiter looks whether the owner is still there

static struct {
    _Atomic u32 key_made; // 1: under way, 2: made, 3: cannot be
    pthread_key_t key;    // its destructor poisons what an ended thread held
} the;

static thread_local_ struct {
    u32 number; // what `owner` is in locks that this thread has; 0 = not known yet
    loam_lock *held;
} mine;

// A process of one thread needs no atomic instructions, and glibc knows whether it is one.
static always_inline_ bool try_word(loam_lock *lock)
{
    u32 none = 0;
    if (__libc_single_threaded) {
        bool is_free = __atomic_load_n(&lock->word, __ATOMIC_RELAXED) == 0;
        if (is_free)
            __atomic_store_n(&lock->word, 1, __ATOMIC_RELAXED);
        return is_free;
    }
    return __atomic_compare_exchange_n(&lock->word, &none, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static always_inline_ void release_word(loam_lock *lock)
{
    if (__libc_single_threaded)
        __atomic_store_n(&lock->word, 0, __ATOMIC_RELAXED);
    else if (unlikely(__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2))
        os_wake_one((_Atomic u32 *)&lock->word);
}

static always_inline_ u32 owner_of(const loam_lock *lock)
{
    return __atomic_load_n(&lock->owner, __ATOMIC_RELAXED);
}

static always_inline_ void set_owner(loam_lock *lock, u32 number)
{
    __atomic_store_n(&lock->owner, number, __ATOMIC_RELEASE); // pairs with look_after_owner
}

// ---------------------------------------------------------------- threads that end

static void thread_ended(void *unused)
{
    (void)unused;
    while (mine.held != NULL) {
        loam_lock *lock = mine.held;
        mine.held = lock->next;
        lock->poisoned = true;
        set_owner(lock, 0);
        release_word(lock);
    }
    mine.number = 0; // a later destructor that takes a lock asks to be looked at again
}

// In the child of a fork the thread has another number, and holds what it held.
static void in_child(void)
{
    if (mine.number == 0)
        return;
    mine.number = os_thread_id();
    for (loam_lock *lock = mine.held; lock != NULL; lock = lock->next)
        set_owner(lock, mine.number);
}

// The first lock of a thread.
static noinline_ void begin_thread(void)
{
    u32 none = 0;
    if (atomic_compare_exchange_strong_explicit(&the.key_made, &none, 1, memory_order_acq_rel,
                                                memory_order_acquire)) {
        bool made = pthread_atfork(NULL, NULL, in_child) == 0 &&
                    pthread_key_create(&the.key, thread_ended) == 0;
        atomic_store_explicit(&the.key_made, made ? 2 : 3, memory_order_release);
    }
    if (atomic_load_explicit(&the.key_made, memory_order_acquire) == 2)
        pthread_setspecific(the.key, &the);
    mine.number = os_thread_id();
}

// A thread that ended without a word. Of several waiters one poisons the lock. It is also how a
// lock that another thread held at the moment of a fork ends in the child.
static void look_after_owner(loam_lock *lock)
{
    u32 owner = owner_of(lock);
    if (owner != 0 && !os_thread_lives(owner) &&
        __atomic_compare_exchange_n(&lock->owner, &owner, 0, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED)) {
        lock->poisoned = true;
        release_word(lock);
    }
}

// ---------------------------------------------------------------- taking

// The end, with the place where the lock was taken, if that is known.
static noreturn_ cold_ void tell(const char *what, const loam_lock *lock, const char *now)
{
    struct note n;
    struct telling t = {what, lock, "taken here", now, NULL, NULL};
    t.first = note_find(NOTE_LOCK_TAKEN, lock, 0, &n) ? &n : NULL;
    debug_die(&t);
}

static noinline_ void wait_for(loam_lock *lock)
{
    if (owner_of(lock) == mine.number)
        tell("mutex: locked twice by one thread", lock, "locked again here");
    while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0) {
        int saved = errno;
        u64 before = os_coarse_ms();
        os_wait((_Atomic u32 *)&lock->word, 2, LOOK_MS);
        errno = saved;
        if (os_coarse_ms() - before >= LOOK_MS)
            look_after_owner(lock);
    }
}

static always_inline_ void take(loam_lock *lock)
{
    if (unlikely(lock->ready != READY))
        die("mutex: not initialised, or done", lock);
    if (unlikely(mine.number == 0))
        begin_thread();
    if (debugging())
        lock_order_take(lock);
    if (unlikely(!try_word(lock)))
        wait_for(lock);
    set_owner(lock, mine.number);
    lock->next = mine.held;
    mine.held = lock;
}

static noinline_ void unlink_held(const loam_lock *lock)
{
    loam_lock **at = &mine.held;
    while (*at != lock && *at != NULL)
        at = &(*at)->next;
    assert(*at != NULL); // K3
    *at = lock->next;
}

static always_inline_ void give(loam_lock *lock)
{
    if (unlikely(owner_of(lock) != mine.number)) // K2
        die("mutex: let go by a thread that does not hold it", lock);
    if (likely(mine.held == lock))
        mine.held = lock->next;
    else
        unlink_held(lock);
    set_owner(lock, 0);
    release_word(lock);
}

// ---------------------------------------------------------------- life

void loam_lock_init_(loam_lock *lock)
{
    *lock = (loam_lock){.ready = READY};
    if (debugging())
        lock_order_reset(lock);
}

void loam_lock_done_(loam_lock *lock)
{
    if (lock->ready != READY)
        return;
    if (unlikely(!try_word(lock)))
        tell("mutex: done while it is locked", lock, "done here");
    lock->ready = 0;
    if (debugging())
        lock_order_reset(lock);
    release_word(lock);
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
