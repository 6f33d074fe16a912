// frag: what becomes of a heap after most of it was freed at random, and larger blocks are wanted.
//
// A million blocks of random size are taken, 90 % of them freed at random, and blocks of about
// twice the size taken until as much is live as at first. `rss_per_live` is resident memory at the
// end over the bytes asked for and not freed: 1.00 would be perfect. `after_free` is the same
// before the larger blocks are taken.

#include "bench.h"

struct block {
    unsigned char *at;
    size_t size;
};

struct set {
    struct block *block;
    size_t count, max, bytes;
    struct rng r;
};

static void set_add(struct set *s, size_t size)
{
    check(s->count < s->max);
    struct block b = {take(size), size};
    memset(b.at, (int)(size & 0xff), size);
    s->block[s->count++] = b;
    s->bytes += size;
}

static void set_remove(struct set *s, size_t i)
{
    struct block b = s->block[i];
    check(b.at[0] == (b.size & 0xff) && b.at[b.size - 1] == (b.size & 0xff));
    free(b.at);
    s->bytes -= b.size;
    s->block[i] = s->block[--s->count];
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1});
    size_t first = scaled(&b, 1e6);
    struct set s = {.max = first, .r = rng_seeded(79)};
    s.block = calloc(s.max, sizeof *s.block);
    check(s.block != NULL);
    memset(s.block, 1, s.max * sizeof *s.block); // so that it is resident from the start
    size_t before = resident();
    for (size_t i = 0; i < first; i++)
        set_add(&s, rng_size(&s.r, 16, 512));
    size_t peak = s.bytes;
    while (s.count > first / 10)
        set_remove(&s, rng_below(&s.r, s.count));
    metric("after_free", (double)(resident() - before) / (double)s.bytes, "x");
    while (s.bytes < peak)
        set_add(&s, rng_size(&s.r, 32, 1024));
    metric("rss_per_live", (double)(resident() - before) / (double)s.bytes, "x");
    printf("%zu blocks, %zu bytes\n", s.count, s.bytes);
    while (s.count > 0)
        set_remove(&s, s.count - 1);
    free(s.block);
    return 0;
}
