// F2 cost: what synchronisation costs when nobody else is there, and when somebody is.

#include "lab/lab.h"

#include <pthread.h>
#include <stdatomic.h>

static struct {
    _Alignas(128) atomic_ullong word;
    _Alignas(128) pthread_mutex_t mutex;
    pthread_spinlock_t spin;
    u64 protected;
} shared = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void plain_add(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++)
        *(volatile u64 *)&shared.protected += 1;
}

static void store_release(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++)
        atomic_store_explicit(&shared.word, i, memory_order_release);
}

static void store_ordered(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++)
        atomic_store_explicit(&shared.word, i, memory_order_seq_cst);
}

static void fence(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++) {
        atomic_store_explicit(&shared.word, i, memory_order_relaxed);
#if defined(__x86_64__)
        __asm__ volatile("mfence" ::: "memory");
#else
        atomic_thread_fence(memory_order_seq_cst);
#endif
    }
}

static void atomic_add(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++)
        atomic_fetch_add_explicit(&shared.word, 1, memory_order_relaxed);
}

static void exchange(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++) {
        unsigned long long seen = atomic_load_explicit(&shared.word, memory_order_relaxed);
        while (!atomic_compare_exchange_weak(&shared.word, &seen, seen + 1)) {
        }
    }
}

static void spin(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++) {
        pthread_spin_lock(&shared.spin);
        shared.protected ++;
        pthread_spin_unlock(&shared.spin);
    }
}

static void mutex(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++) {
        pthread_mutex_lock(&shared.mutex);
        shared.protected ++;
        pthread_mutex_unlock(&shared.mutex);
    }
}

static void add_both(void *of, u64 rounds, u32 who)
{
    (void)who;
    atomic_add(of, rounds);
}

static void exchange_both(void *of, u64 rounds, u32 who)
{
    (void)who;
    exchange(of, rounds);
}

static void mutex_both(void *of, u64 rounds, u32 who)
{
    (void)who;
    mutex(of, rounds);
}

static void run(struct lab *l)
{
    // A thread that was preempted with the mutex held makes the other one sleep: that is its cost.
    struct arm one[] = {
        {"plain_add", .run = plain_add},
        {"store_release", .run = store_release},
        {"store_seq_cst", .run = store_ordered},
        {"store_and_fence", .run = fence},
        {"atomic_add", .run = atomic_add},
        {"compare_and_swap", .run = exchange},
        {"spin_lock", .run = spin},
        {"mutex", .run = mutex},
    };
    struct arm two[] = {
        {"atomic_add_2", .team = add_both, .threads = 2, .rounds = 20000},
        {"compare_and_swap_2", .team = exchange_both, .threads = 2, .rounds = 10000},
        {"mutex_2", .team = mutex_both, .threads = 2, .rounds = 4000, .gives_way = true},
    };
    pthread_spin_init(&shared.spin, PTHREAD_PROCESS_PRIVATE);
    lab_time(l, one, countof(one));
    if (lab_time(l, two, countof(two))) {
        lab_ratio(l, "atomic_contended_over_alone", &two[0], &one[4]);
        lab_ratio(l, "mutex_contended_over_alone", &two[2], &one[7]);
    }
    pthread_spin_destroy(&shared.spin);
    lab_why(l, "mutex_2", "the lock's cache line travels, and one of the two waits");
}

static const struct claim claims[] = {
    {S3, "topic 8", "a lock that nobody else wants", "small price", "mutex", 0, 25, "ns"},
    {S3, "topic 8", "a lock that two want", "small price", "mutex_2", 0, 25, "ns"},
    {S3, "topic 8", "an atomic addition, alone", "small price", "atomic_add", 0, 25, "ns"},
};

LAB_EXPERIMENT(F2) = {
    .question = "What does synchronisation cost?",
    .prediction = "Little, the text says, and does not say how little. We take 25 ns for little: a "
                  "quarter of a load from memory.",
    .method =
        "One thread does each operation alone: stores with more and more order, atomic "
        "additions, locks. Then two threads on two processors do it to the same word at once; "
        "the time is that of one operation of one of them.",
    .look =
        "Alone, a lock costs some nanoseconds and no system call (F6). What costs is the other: "
        "the line has to come from its cache (D9), or one must wait. A release store is a plain "
        "store on x86; the ordered one drains the store buffer (F3).",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
