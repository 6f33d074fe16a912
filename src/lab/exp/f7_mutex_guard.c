// F7 mutex-guard: a lock that cannot be forgotten, around data that cannot be reached without it.

#include "lab/lab.h"

#include <errno.h>
#include <loam/mutex.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>

struct account {
    int cents;
};
static loam_mutex(struct account) shared;
static pthread_mutex_t by_hand = PTHREAD_MUTEX_INITIALIZER;

// The way out of the middle, which everybody forgets.
static int pay_by_hand(int cents)
{
    static int balance;
    pthread_mutex_lock(&by_hand);
    if (balance < cents)
        return -1; // and the lock is held for ever
    balance -= cents;
    pthread_mutex_unlock(&by_hand);
    return 0;
}

static int pay_guarded(int cents)
{
    loam_with (&shared, a) {
        if (a->cents < cents)
            return -1; // let go here too
        a->cents -= cents;
    }
    return 0;
}

static bool is_free(pthread_mutex_t *m)
{
    int r = pthread_mutex_trylock(m);
    if (r == 0)
        pthread_mutex_unlock(m);
    return r == 0;
}

static void lock_twice(void *of)
{
    (void)of;
    loam_with (&shared, a) {
        loam_with (&shared, b)
            b->cents = a->cents;
    }
}

static void run(struct lab *l)
{
    struct lab_end end;
    loam_mutex_init(&shared);
    int by_guard = pay_guarded(5), manual = pay_by_hand(5);
    bool guard_free = shared.lock.word == 0, hand_free = is_free(&by_hand);
    lab_check(l, "never_forgotten", by_guard == -1 && guard_free,
              "a return in the middle of loam_with %s the lock", guard_free ? "let go" : "kept");
    lab_check(l, "by_hand_forgotten", manual == -1 && !hand_free,
              "the same return between lock and unlock %s it", hand_free ? "let go" : "kept");
    char *whole = (char *)&shared;
    bool inside = (char *)&shared.loam_guarded_ > whole &&
                  (char *)(&shared.loam_guarded_ + 1) <= whole + sizeof shared;
    lab_check(l, "owns_data", inside, "the account lies in the mutex, %td bytes from its start",
              (char *)&shared.loam_guarded_ - whole);
    if (lab_child(l, lock_twice, NULL, 2, &end) == 0) {
        end.said[strcspn(end.said, "\n")] = 0;
        lab_check(l, "twice_is_told", WIFSIGNALED(end.status) && !end.timed_out, "%.100s",
                  end.said);
    }
    loam_mutex_done(&shared);
}

static const struct claim claims[] = {
    {S3, "topic 8", "unlocking", "MutexGuard cannot be forgotten", "never_forgotten", 0, 0, NULL},
    {S3, "topic 8", "the data", "Mutex owns the data", "owns_data", 0, 0, NULL},
    {S3, "topic 8", "without a guard", "the lock can be forgotten", "by_hand_forgotten", 0, 0,
     NULL},
};

LAB_EXPERIMENT(F7) = {
    .question = "Can a lock be left locked by a return in the middle?",
    .prediction =
        "By hand, yes. A guard that lets go when its scope ends makes it impossible; in C "
        "the compiler's cleanup attribute does what a destructor does elsewhere.",
    .method = "Two functions pay from an account and return early when it is empty: one with lock "
              "and unlock, one in loam_with. Then the lock is tried. A child locks the same mutex "
              "twice, which would hang for ever with an ordinary one.",
    .look =
        "The guard's lock is free, the other is not. What C cannot give: a pointer to the data, "
        "kept beyond the block, is not noticed.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
