// replace: each thread keeps 1,024 blocks and replaces one of them at random, over and over (the
// kind of glibc-thread).
//
// Sizes follow an inverse square law from 8 bytes to 32 KiB, as glibc's own benchmark draws them:
// half of all blocks are smaller than 16 bytes, one in a hundred is larger than 800. The small
// ones stay in the second-level cache, so this is the cost of malloc and free; the few large ones
// decide what the heap keeps resident.
//
// -t: threads, which share the work.

#include "bench.h"

enum { SLOTS = 1024, SIZE_MIN = 8, SIZE_MAX_DRAWN = 32 * 1024, DRAWN = 8192 };

struct worker {
    uint64_t seed;
    size_t steps, sum;
};

// P(size > x) = SIZE_MIN / x, cut off at SIZE_MAX_DRAWN.
static uint32_t rng_inverse_square(struct rng *r)
{
    double u = ((double)(rng_next(r) >> 40) + 1) / (1 << 24);
    double size = SIZE_MIN / u;
    return size < SIZE_MAX_DRAWN ? (uint32_t)size : SIZE_MAX_DRAWN;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct rng r = rng_seeded(w->seed);
    static const size_t mask = DRAWN - 1;
    uint32_t *size = take(DRAWN * sizeof *size); // drawn before, so that drawing costs nothing
    for (size_t i = 0; i < DRAWN; i++)
        size[i] = rng_inverse_square(&r);
    unsigned char **slot = calloc(SLOTS, sizeof *slot);
    check(slot != NULL);
    for (size_t i = 0; i < w->steps; i++) {
        unsigned char **at = &slot[rng_below(&r, SLOTS)];
        if (*at != NULL) {
            w->sum += **at;
            free(*at);
        }
        *at = take(size[i & mask]);
        **at = (unsigned char)i;
    }
    for (size_t i = 0; i < SLOTS; i++)
        free(slot[i]);
    free(slot);
    free(size);
    return NULL;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1});
    struct worker w[BENCH_THREADS_MAX];
    size_t sum = 0;
    check(b.threads >= 1 && b.threads <= BENCH_THREADS_MAX);
    for (unsigned i = 0; i < b.threads; i++)
        w[i] = (struct worker){.seed = 97 + i, .steps = scaled(&b, 40e6) / b.threads};
    threads_run(b.threads, work, w, sizeof w[0]);
    for (unsigned i = 0; i < b.threads; i++)
        sum += w[i].sum;
    printf("sum %zu\n", sum);
    return 0;
}
