// oscillate: a heap that swings between almost nothing and 100 MiB.
//
// An allocator that gives memory back at every low pays for 25,600 page faults at every high; one
// that never does keeps 100 MiB through the long low that comes at the end. `kept` is what is
// resident then, of what was at the peak.
//
// -l: the high, 100M by default.

#include "bench.h"

static size_t fill(unsigned char **block, size_t max, size_t live, struct rng *r)
{
    size_t n = 0;
    for (size_t bytes = 0; bytes < live && n < max; n++) {
        size_t size = rng_size(r, 64, 32 * KiB);
        block[n] = take(size);
        touch(block[n], size);
        block[n][size - 1] = (unsigned char)n;
        bytes += size;
    }
    return n;
}

static void empty(unsigned char **block, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(block[i]);
}

// A low is not silence: a few small blocks come and go.
static void idle(struct rng *r)
{
    for (size_t i = 0; i < 1000; i++)
        free(take(rng_size(r, 16, 512)));
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1, .live = 100 * MiB});
    struct rng r = rng_seeded(89);
    size_t max = b.live / 64, n = 0, peak = 0;
    unsigned char **block = take(max * sizeof *block);
    for (size_t i = 0, rounds = scaled(&b, 80); i < rounds; i++) {
        n = fill(block, max, b.live, &r);
        peak = resident();
        empty(block, n);
        idle(&r);
    }
    for (size_t i = 0; i < 20; i++) {
        sleep_ms(10);
        idle(&r);
    }
    metric("kept", 100 * (double)resident() / (double)peak, "%");
    free(block);
    puts("up and down");
    return 0;
}
