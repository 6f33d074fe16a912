// tables: hash tables that double by calloc, from a few slots to 32 MiB.
//
// calloc must hand out zeroes. Who gets fresh pages from the kernel has them for nothing; who
// clears them again touches memory twice, and makes pages resident that the table may never use.
// `sparse` shows that: a table of 256 MiB of which one OS page in 64 is used.

#include "bench.h"

struct table {
    uint64_t *slot; // 0: empty
    size_t capacity, count;
};

static void table_put(struct table *t, uint64_t key);

static void table_grow(struct table *t)
{
    struct table old = *t;
    t->capacity = old.capacity == 0 ? 16 : 2 * old.capacity;
    t->count = 0;
    t->slot = calloc(t->capacity, sizeof *t->slot);
    check(t->slot != NULL);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slot[i] != 0)
            table_put(t, old.slot[i]);
    }
    free(old.slot);
}

static void table_put(struct table *t, uint64_t key)
{
    if (2 * t->count >= t->capacity)
        table_grow(t);
    size_t i = (key * 0x9e3779b97f4a7c15u) >> 20 & (t->capacity - 1);
    while (t->slot[i] != 0 && t->slot[i] != key)
        i = (i + 1) & (t->capacity - 1);
    t->count += t->slot[i] == 0;
    t->slot[i] = key;
}

static uint64_t fill_and_sum(struct rng *r, size_t keys)
{
    struct table t = {NULL, 0, 0};
    uint64_t sum = 0;
    for (size_t i = 0; i < keys; i++)
        table_put(&t, rng_next(r) | 1);
    for (size_t i = 0; i < t.capacity; i++)
        sum ^= t.slot[i];
    free(t.slot);
    return sum;
}

static void sparse(void)
{
    size_t n = 256 * MiB / sizeof(uint64_t);
    uint64_t *slot = calloc(n, sizeof *slot);
    check(slot != NULL);
    for (size_t i = 0; i < n; i += 512 * 64) { // one OS page in 64
        check(slot[i] == 0);
        slot[i] = i;
    }
    free(slot);
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1});
    struct rng r = rng_seeded(61);
    uint64_t sum = 0;
    for (size_t i = 0, n = scaled(&b, 400); i < n; i++)
        sum ^= fill_and_sum(&r, rng_size(&r, 100, 10000));
    for (size_t i = 0, n = scaled(&b, 4); i < n; i++)
        sum ^= fill_and_sum(&r, 1200 * 1000);
    for (size_t i = 0, n = scaled(&b, 4); i < n; i++)
        sparse();
    printf("sum %llu\n", (unsigned long long)sum);
    return 0;
}
