// alloc_test: a table of slots whose blocks come and go at random, with sizes and lifetimes as
// simulations draw them (the kind of alloc-test).
//
// Few slots are used most of the time and most are used rarely (a Pareto law), and so with sizes:
// short-lived small blocks stand among long-lived and larger ones. The live
// memory passes the second-level cache, and the order of reuse decides how many misses there are.
//
// -t: threads, each with its own table; they share the work.

#include "bench.h"

enum { SLOTS = 1 << 17, SIZE_BITS = 9 };

struct worker {
    uint64_t seed;
    size_t slots, steps;
    uint64_t sum;
};

struct block {
    uint64_t value;
    unsigned char rest[];
};

// 0 to n - 1, where the first n / 16 take half of the draws, and so on inwards.
static size_t rng_pareto(struct rng *r, size_t n)
{
    uint64_t bits = rng_next(r);
    while (n > 64 && (bits & 1) != 0) {
        n /= 16;
        bits >>= 1;
    }
    return rng_below(r, n);
}

static struct block *block_new(struct rng *r, uint64_t value)
{
    size_t size =
        sizeof(struct block) + (rng_next(r) & (((uint64_t)2 << rng_below(r, SIZE_BITS)) - 1));
    struct block *p = take(size);
    p->value = value;
    for (size_t i = 0; i + sizeof *p < size; i += 64)
        p->rest[i] = (unsigned char)value;
    return p;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct rng r = rng_seeded(w->seed);
    struct block **slot = calloc(w->slots, sizeof *slot);
    check(slot != NULL);
    for (size_t i = 0; i < w->steps; i++) {
        struct block **at = &slot[rng_pareto(&r, w->slots)];
        if (*at == NULL) {
            *at = block_new(&r, i);
            continue;
        }
        w->sum += (*at)->value;
        free(*at);
        *at = NULL;
    }
    for (size_t i = 0; i < w->slots; i++)
        free(slot[i]);
    free(slot);
    return NULL;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1});
    struct worker w[BENCH_THREADS_MAX];
    uint64_t sum = 0;
    check(b.threads >= 1 && b.threads <= BENCH_THREADS_MAX);
    for (unsigned i = 0; i < b.threads; i++)
        w[i] = (struct worker){
            .seed = 41 + i, .slots = SLOTS / b.threads, .steps = scaled(&b, 16e6) / b.threads};
    threads_run(b.threads, work, w, sizeof w[0]);
    for (unsigned i = 0; i < b.threads; i++)
        sum += w[i].sum;
    printf("sum %llu\n", (unsigned long long)sum);
    return 0;
}
