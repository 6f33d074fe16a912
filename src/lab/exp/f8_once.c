// F8 once: initialised by whoever comes first, once.

#include "lab/lab.h"

#include <loam/once.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { THREADS = 4 };

struct table {
    u64 sum;
};

static atomic_uint naive_runs, once_runs;

// What `static mut` invites to: look, then make.
static struct {
    atomic_bool made;
    struct table value;
} naive;
static loam_lazy(struct table) lazy;
static atomic_uint there, wrong;

static u64 fill(void)
{
    u64 sum = 0;
    for (volatile u32 i = 0; i < 2000; i++)
        sum += i;
    sched_yield(); // initialisers take a while: others come meanwhile
    return sum;
}

static int lazy_init(struct table *t)
{
    atomic_fetch_add(&once_runs, 1);
    t->sum = fill();
    return 0;
}

static void *racer(void *of)
{
    atomic_fetch_add(&there, 1);
    while (atomic_load(&there) < THREADS)
        sched_yield();
    if (!atomic_load(&naive.made)) {
        atomic_fetch_add(&naive_runs, 1);
        naive.value.sum = fill();
        atomic_store(&naive.made, true);
    }
    struct table *t = loam_lazy_get(&lazy, lazy_init);
    if (t == NULL || t->sum != 1999000)
        atomic_fetch_add(&wrong, 1);
    return of;
}

static void race(void)
{
    pthread_t thread[THREADS];
    atomic_store(&there, 0);
    atomic_store(&naive.made, false);
    lazy.once = (loam_once){0};
    for (u32 i = 0; i < THREADS; i++) {
        if (pthread_create(&thread[i], NULL, racer, NULL) != 0)
            die("lab: no thread could be started", NULL);
    }
    for (u32 i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
}

static void again(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++)
        KEEP(loam_lazy_get(&lazy, lazy_init));
}

static void run(struct lab *l)
{
    u32 races = (u32)lab_pick(l, 200, 2000);
    for (u32 i = 0; i < races; i++)
        race();
    lab_exact(l, "lazy_runs_a_race", (double)once_runs / races, "runs");
    lab_exact(l, "naive_runs_a_race", (double)naive_runs / races, "runs");
    lab_check(l, "complete", wrong == 0, "%u of %u threads saw something unfinished", wrong,
              races * THREADS);
    lab_check(l, "naive_runs_twice", naive_runs > races, "%u initialisations in %u races",
              naive_runs, races);
    struct arm arm = {"second_use", .run = again};
    lab_time(l, &arm, 1);
}

static const struct claim claims[] = {
    {S3, "topic 8", "OnceLock, LazyLock: the initialiser", "runs once", "lazy_runs_a_race", 1, 1,
     "runs"},
    {S3, "topic 8", "OnceLock: what others see", "the finished value", "complete", 0, 0, NULL},
    {S3, "topic 8", "static mut, racing", "unsafe", "naive_runs_twice", 0, 0, NULL},
};

LAB_EXPERIMENT(F8) = {
    .question = "How often does an initialiser run when four threads need its value at once?",
    .prediction = "Once with a once-lock, and all see the whole value; more often with a flag.",
    .method = "Four threads start together, again and again, and use a value that is made at its "
              "first use: by loam_lazy, and by looking at a flag first. The initialisers count "
              "themselves.",
    .look = "Exactly 1 run a race. The flag is atomic, and still wrong: between looking and making "
            "there is time. Later uses cost one load.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
