// churn: each thread replaces random blocks of a set of 1,024 (the kind of glibc-thread).
//
// Sizes run from 4 bytes to 32 KiB, small ones far more often. Nothing passes between threads: what
// is measured is whether threads stand in each other's way, and the price of random lifetimes.
//
// -t: threads, which share the work.

#include "bench.h"

enum { SLOTS = 1024 };

struct worker {
    uint64_t seed;
    size_t steps;
    uint64_t sum;
};

static void *work(void *argument)
{
    struct worker *w = argument;
    struct rng r = rng_seeded(w->seed);
    unsigned char *slot[SLOTS] = {NULL};
    for (size_t i = 0; i < w->steps; i++) {
        unsigned char **at = &slot[rng_below(&r, SLOTS)];
        if (*at != NULL)
            w->sum += **at;
        free(*at);
        // The cube of a share: half of the blocks are below an eighth of the range, and so on.
        uint64_t share = rng_below(&r, 1 << 16);
        size_t size = 4 + (size_t)(share * share * share >> 33);
        *at = take(size);
        **at = (unsigned char)size;
    }
    for (size_t i = 0; i < SLOTS; i++)
        free(slot[i]);
    return NULL;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1});
    struct worker w[BENCH_THREADS_MAX];
    uint64_t sum = 0;
    check(b.threads >= 1 && b.threads <= BENCH_THREADS_MAX);
    for (unsigned i = 0; i < b.threads; i++)
        w[i] = (struct worker){.seed = 5 + i, .steps = scaled(&b, 8e6) / b.threads};
    threads_run(b.threads, work, w, sizeof w[0]);
    for (unsigned i = 0; i < b.threads; i++)
        sum += w[i].sum;
    printf("sum %llu\n", (unsigned long long)sum);
    return 0;
}
