// loops: one pattern of malloc(64) and free, as fast as it goes; the mode says which.
//
//     pair     take one, free it
//     lifo     take up to 24, free the last ones first
//     fifo     each block is freed when 100 others were taken after it
//     random   each step replaces a random one of many; -l gives their bytes, 64K by default
//     sizes    as random, with sizes from 16 to 1,024
//     calloc   as fifo, by calloc
//     aligned  as fifo, by aligned_alloc to 64
//
// Loops like these say little about programs: see the macro suite for that. They say where the time
// goes when an allocator changed. `pair_ns` is CPU time for one malloc and one free.

#include "bench.h"

enum { SIZE = 64 };

struct loop {
    struct rng r;
    size_t live;  // bytes
    size_t pairs; // to do
};

// Each loop writes what it takes, once, as every program does.
static inline unsigned char *take_one(size_t size)
{
    unsigned char *p = take(size);
    p[0] = (unsigned char)size;
    return p;
}

static size_t pair(struct loop *l)
{
    for (size_t i = 0; i < l->pairs; i++)
        free(take_one(SIZE));
    return l->pairs;
}

static size_t lifo(struct loop *l)
{
    unsigned char *stack[24];
    size_t done = 0;
    while (done < l->pairs) {
        size_t depth = rng_between(&l->r, 1, 24);
        for (size_t i = 0; i < depth; i++)
            stack[i] = take_one(SIZE);
        for (size_t i = depth; i-- > 0;)
            free(stack[i]);
        done += depth;
    }
    return done;
}

static unsigned char *by_malloc(void)
{
    return take(SIZE);
}

static unsigned char *by_calloc(void)
{
    unsigned char *p = calloc(1, SIZE);
    check(p != NULL && p[0] == 0 && p[SIZE - 1] == 0);
    return p;
}

static unsigned char *by_aligned_alloc(void)
{
    unsigned char *p = aligned_alloc(64, SIZE);
    check(p != NULL && (uintptr_t)p % 64 == 0);
    return p;
}

static inline size_t queue(struct loop *l, unsigned char *(*get)(void))
{
    unsigned char *ring[100] = {NULL};
    for (size_t i = 0; i < l->pairs; i++) {
        unsigned char **at = &ring[i % 100];
        free(*at);
        *at = get();
        **at = 1;
    }
    for (size_t i = 0; i < 100; i++)
        free(ring[i]);
    return l->pairs;
}

static size_t fifo(struct loop *l)
{
    return queue(l, by_malloc);
}

static size_t zeroed(struct loop *l)
{
    return queue(l, by_calloc);
}

static size_t aligned(struct loop *l)
{
    return queue(l, by_aligned_alloc);
}

static inline size_t replace(struct loop *l, size_t smallest, size_t largest)
{
    size_t n = 2 * l->live / (smallest + largest);
    unsigned char **slot = take(n * sizeof *slot);
    for (size_t i = 0; i < n; i++)
        slot[i] = take_one(rng_between(&l->r, smallest, largest));
    for (size_t i = 0; i < l->pairs; i++) {
        unsigned char **at = &slot[rng_below(&l->r, n)];
        free(*at);
        *at = take_one(smallest == largest ? SIZE : rng_between(&l->r, smallest, largest));
    }
    for (size_t i = 0; i < n; i++)
        free(slot[i]);
    free(slot);
    return l->pairs + n;
}

static size_t random_one(struct loop *l)
{
    return replace(l, SIZE, SIZE);
}

static size_t random_sizes(struct loop *l)
{
    return replace(l, 16, 1024);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        size_t (*run)(struct loop *l);
    } modes[] = {{"pair", pair},         {"lifo", lifo},          {"fifo", fifo},
                 {"random", random_one}, {"sizes", random_sizes}, {"calloc", zeroed},
                 {"aligned", aligned}};
    struct bench b =
        bench_args(argc, argv, (struct bench){.threads = 1, .live = 64 * KiB, .mode = "pair"});
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i].name, b.mode) != 0)
            continue;
        struct loop l = {.r = rng_seeded(3), .live = b.live, .pairs = scaled(&b, 20e6)};
        double start = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
        size_t pairs = modes[i].run(&l);
        double took = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
        metric("pair_ns", took * 1e9 / (double)pairs, "ns");
        return 0;
    }
    bench_fail(__FILE__, __LINE__, "there is a mode of that name");
}
