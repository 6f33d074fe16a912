// stress: waves of threads that build linked things, keep some, pass some on through a common table
// and check everything they touch (the kind of mstress).
//
// Objects are made of up to 80 words, sometimes a thousand times that. Half of what a thread
// keeps outlives many others; what it finds in the common table came from another thread, living
// or dead. After each wave all of its threads have ended.
//
// -t: threads of a wave, which share the work.

#include "bench.h"

#include <stdatomic.h>

enum { COMMON = 1000, WAVES = 10, COOKIE = 0x5bd1e995 };

static _Atomic(uintptr_t *) common[COMMON];

struct worker {
    uint64_t seed;
    size_t steps;
};

// An object tells its length and each of its words, so that any damage is seen.
static uintptr_t *object_new(struct rng *r)
{
    size_t words = rng_between(r, 2, 80);
    size_t luck = rng_below(r, 20000);
    if (luck == 0)
        words *= 1000;
    else if (luck < 200)
        words *= 20;
    uintptr_t *p = calloc(words, sizeof *p);
    check(p != NULL && p[0] == 0 && p[words - 1] == 0);
    p[0] = words;
    for (size_t i = 1; i < words; i++)
        p[i] = (words - i) ^ COOKIE;
    return p;
}

static void object_free(uintptr_t *p)
{
    if (p == NULL)
        return;
    for (size_t i = 1; i < p[0]; i++)
        check(p[i] == ((p[0] - i) ^ COOKIE));
    free(p);
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct rng r = rng_seeded(w->seed);
    size_t kept_count = 0, kept_max = w->steps / 4 + 1;
    uintptr_t **kept = calloc(kept_max, sizeof *kept);
    check(kept != NULL);
    for (size_t i = 0; i < w->steps; i++) {
        uintptr_t *object = object_new(&r);
        size_t what = rng_below(&r, 4);
        if (what == 0 && kept_count < kept_max)
            kept[kept_count++] = object;
        else if (what == 1) // acq_rel: the words go along both ways
            object_free(atomic_exchange_explicit(&common[rng_below(&r, COMMON)], object,
                                                 memory_order_acq_rel));
        else
            object_free(object);
        if (kept_count > 0 && rng_below(&r, 8) == 0) {
            uintptr_t **at = &kept[rng_below(&r, kept_count)];
            object_free(*at);
            *at = kept[--kept_count];
        }
    }
    for (size_t i = 0; i < kept_count; i++)
        object_free(kept[i]);
    free(kept);
    return NULL;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 4});
    struct worker w[BENCH_THREADS_MAX];
    check(b.threads >= 1 && b.threads <= BENCH_THREADS_MAX);
    for (unsigned wave = 0; wave < WAVES; wave++) {
        for (unsigned i = 0; i < b.threads; i++)
            w[i] = (struct worker){.seed = 1000 * wave + i,
                                   .steps = scaled(&b, 3e6 / WAVES) / b.threads};
        threads_run(b.threads, work, w, sizeof w[0]);
        for (size_t i = wave % 2; i < COMMON; i += 2)
            object_free(atomic_exchange(&common[i], NULL));
    }
    for (size_t i = 0; i < COMMON; i++)
        object_free(atomic_load(&common[i]));
    puts("every object was whole");
    return 0;
}
