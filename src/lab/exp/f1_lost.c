// F1 lost: two threads count, and some of it is lost.

#include "lab/lab.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { EACH = 200000 };

static struct {
    _Alignas(128) volatile u64 plain;
    _Alignas(128) atomic_ullong atomic;
    pthread_mutex_t mutex;
    pthread_spinlock_t spin;
} shared = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void add_plain(void)
{
    shared.plain++; // a load, an addition and a store: the other thread comes in between
}

static void add_atomic(void)
{
    atomic_fetch_add_explicit(&shared.atomic, 1, memory_order_relaxed);
}

static void add_by_exchange(void)
{
    unsigned long long seen = atomic_load(&shared.atomic);
    while (!atomic_compare_exchange_weak(&shared.atomic, &seen, seen + 1)) {
    }
}

static void add_with_mutex(void)
{
    pthread_mutex_lock(&shared.mutex);
    shared.plain++;
    pthread_mutex_unlock(&shared.mutex);
}

static void add_with_spin(void)
{
    pthread_spin_lock(&shared.spin);
    shared.plain++;
    pthread_spin_unlock(&shared.spin);
}

struct counter {
    void (*add)(void);
    u32 cpu, each;
    atomic_uint *there;
};

static void *count(void *of)
{
    const struct counter *c = of;
    lab_pin(c->cpu);
    atomic_fetch_add(c->there, 1);
    while (atomic_load(c->there) < 2)
        sched_yield();
    for (u32 i = 0; i < c->each; i++)
        c->add();
    return NULL;
}

// Percent of the additions that are not in the sum.
static double lost(const u32 cpu[2], void (*add)(void), u32 each)
{
    atomic_uint there = 0;
    struct counter c[2] = {{add, cpu[0], each, &there}, {add, cpu[1], each, &there}};
    pthread_t thread[2];
    shared.plain = 0;
    atomic_store(&shared.atomic, 0);
    for (u32 i = 0; i < 2; i++) {
        if (pthread_create(&thread[i], NULL, count, &c[i]) != 0)
            die("lab: no thread could be started", NULL);
    }
    for (u32 i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    u64 sum = shared.plain + atomic_load(&shared.atomic);
    return 100.0 * (double)(2ull * each - sum) / (2.0 * each);
}

static void run(struct lab *l)
{
    u32 cpu[2];
    if (lab_cpus(l, cpu, 2) < 2) {
        lab_cannot(l, NULL, "it takes 2 processors, and there is 1");
        return;
    }
    struct samples plain = {0};
    double least = 100, most = 0;
    for (u32 i = 0; i < lab_pick(l, 20, 100); i++) {
        double part = lost(cpu, add_plain, EACH);
        samples_add(&plain, part);
        least = part < least ? part : least;
        most = part > most ? part : most;
    }
    lab_measured(l, "lost_plain", stat_summary(&plain, false), "%");
    samples_done(&plain);
    lab_check(l, "unpredictable", most > 0 && least != most,
              "between %.1f and %.1f %% of the same additions were lost", least, most);
    if (most == 0)
        lab_cannot(l, "unpredictable", "nothing was lost: the two threads hardly ran at once");
    pthread_spin_init(&shared.spin, PTHREAD_PROCESS_PRIVATE);
    double kept = lost(cpu, add_atomic, EACH) + lost(cpu, add_by_exchange, EACH) +
                  lost(cpu, add_with_mutex, EACH) + lost(cpu, add_with_spin, EACH / 20);
    lab_exact(l, "lost_synchronised", kept, "%");
    pthread_spin_destroy(&shared.spin);
}

static const struct claim claims[] = {
    {S3, "topic 8", "a data race", "unpredictable", "unpredictable", 0, 0, NULL},
    {S3, "topic 8", "with atomics or a lock", "nothing is lost", "lost_synchronised", 0, 0, "%"},
};

LAB_EXPERIMENT(F1) = {
    .question = "What is lost when two threads add to one variable without synchronisation?",
    .prediction = "Some additions, and another number of them each time.",
    .method =
        "Two threads on two processors add 200,000 each, again and again. `x++` reads, adds "
        "and writes: what the other wrote in between is overwritten. Then the same with an "
        "atomic addition, compare-and-swap, a mutex and a spin lock, whose sum must be exact. "
        "The variable is volatile in the plain case, or the compiler would add once at the "
        "end.",
    .look = "Up to half can be lost: one of two. With synchronisation it is none, always.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
