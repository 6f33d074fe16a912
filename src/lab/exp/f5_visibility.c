// F5 visibility: a change that is never noticed.

#include "lab/lab.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

static bool plain;
static volatile bool with_volatile;
static atomic_bool with_atomic, begun;

static void *wait_plain(void *of)
{
    atomic_store(&begun, true);
    while (!plain) { // the compiler reads it once: nothing in here changes it
    }
    return of;
}

static void *wait_volatile(void *of)
{
    atomic_store(&begun, true);
    while (!with_volatile) {
    }
    return of;
}

static void *wait_atomic(void *of)
{
    atomic_store(&begun, true);
    while (!atomic_load_explicit(&with_atomic, memory_order_relaxed)) {
    }
    return of;
}

// In a child: a thread waits, we set all the flags, and it should end.
static void scene(void *of)
{
    pthread_t t;
    void *(*const waiters[])(void *) = {wait_plain, wait_volatile, wait_atomic};
    if (pthread_create(&t, NULL, waiters[*(u32 *)of], NULL) != 0)
        return;
    while (!atomic_load(&begun))
        sched_yield();
    nanosleep(&(struct timespec){0, 50000000}, NULL); // it has looked at its flag by now
    plain = true;
    __asm__ volatile("" ::: "memory"); // the store is really made
    with_volatile = true;
    atomic_store(&with_atomic, true);
    pthread_join(t, NULL);
}

static bool notices(struct lab *l, u32 which, const char *name)
{
    struct lab_end end = {0};
    if (lab_child(l, scene, &which, 1, &end) != 0)
        return false;
    // A loop that uses up its second of CPU time is killed, by that limit or by the watchdog.
    bool ended = !end.timed_out && WIFEXITED(end.status);
    lab_row(l, "%s|%s", name, ended ? "at once" : "never; stopped after a second");
    return ended;
}

static void run(struct lab *l)
{
    lab_table(l, "a thread waits for a flag", "the flag is|it notices");
    bool by_plain = notices(l, 0, "a plain bool");
    bool by_volatile = notices(l, 1, "volatile");
    bool by_atomic = notices(l, 2, "atomic, relaxed");
    lab_check(l, "unnoticed", !by_plain, "a loop on a plain flag, compiled with -O2, %s",
              by_plain ? "ends" : "never ends");
    lab_check(l, "atomic_noticed", by_atomic && by_volatile,
              "a loop on an atomic or a volatile flag ends");
}

static const struct claim claims[] = {
    {S3, "topic 8", "a change by another thread", "may stay unnoticed", "unnoticed", 0, 0, NULL},
    {S3, "topic 8", "a change of an atomic", "is seen", "atomic_noticed", 0, 0, NULL},
};

LAB_EXPERIMENT(F5) = {
    .question = "Does a thread notice that another one changed a variable?",
    .prediction = "If it looks. The caches are coherent; it is the compiler that need not look "
                  "twice, for without atomics nobody else can be there.",
    .method = "A child has a thread that loops until a flag is set, by a plain, a volatile and an "
              "atomic bool; compiled with -O2. A watchdog ends a child that waits for more than a "
              "second.",
    .look = "The plain loop became `if (!flag) for (;;);`. In 'loam asm' it is one jump to itself. "
            "Volatile helps here, but orders nothing and is not atomic: F3 is beyond it.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
