// C13 alternatives: the same work on each heap that is installed.

#include "lab/allocators.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { LIVE = 20000, THREADS = 4, BLOCKS = 40000, ROUNDS = 4 };

// ---------------------------------------------------------------- time: random lifetimes

struct churn {
    const struct allocator *a;
    char *block[LIVE];
    struct rng r;
};

// A program's usual mixture: mostly small, some up to 2 KiB, each written once.
static u64 some_size(struct rng *r)
{
    return rng_below(r, 8) != 0 ? 16 + rng_below(r, 112) : 128 + rng_below(r, 1920);
}

static void churn(void *of, u64 rounds)
{
    struct churn *c = of;
    for (u64 i = 0; i < rounds; i++) {
        char **at = &c->block[rng_below(&c->r, LIVE)];
        c->a->give(*at);
        *at = c->a->take(some_size(&c->r));
        if (*at != NULL)
            **at = 1;
    }
}

// ---------------------------------------------------------------- memory: threads that come and go

static const struct allocator *chosen;
static u64 *seen; // shared: resident bytes that came on top, and live ones
static char *kept[THREADS][BLOCKS];

// Each thread replaces what an earlier one left in its slots, and keeps a tenth.
static void *worker(void *of)
{
    char **mine = of;
    struct rng r = {(u64)(uintptr_t)of};
    for (u32 i = 0; i < BLOCKS; i++) {
        chosen->give(mine[i]);
        u64 size = some_size(&r);
        mine[i] = chosen->take(size);
        memset(mine[i], 1, size);
    }
    for (u32 i = 0; i < BLOCKS; i++)
        if (rng_below(&r, 10) != 0) {
            chosen->give(mine[i]);
            mine[i] = NULL;
        }
    return NULL;
}

static void in_child(void *of)
{
    pthread_t thread[THREADS];
    chosen = of;
    u64 start = allocators_resident();
    for (u32 round = 0; round < ROUNDS; round++) {
        for (u32 i = 0; i < THREADS; i++)
            if (pthread_create(&thread[i], NULL, worker, kept[i]) != 0)
                _exit(1);
        for (u32 i = 0; i < THREADS; i++)
            pthread_join(thread[i], NULL);
    }
    seen[0] = allocators_resident() - start;
}

static void run(struct lab *l)
{
    struct allocator a[ALLOCATORS_MAX];
    static struct churn c[ALLOCATORS_MAX];
    struct arm arms[ALLOCATORS_MAX];
    u32 n = allocators_find(a), best = 1;
    for (u32 i = 0; i < n; i++) {
        c[i] = (struct churn){.a = &a[i], .r = l->rng};
        arms[i] = (struct arm){a[i].name, .run = churn, .of = &c[i]};
    }
    lab_time(l, arms, n);
    for (u32 i = 1; i < n; i++)
        best = arms[i].got.value < arms[best].got.value ? i : best;
    lab_ratio(l, "libc_over_best", &arms[0], &arms[best]);

    seen = lab_shared(l, sizeof *seen);
    double held[ALLOCATORS_MAX] = {0}, least = INFINITY;
    lab_table(l, "four rounds of four threads that leave a tenth of their blocks", "heap|resident");
    for (u32 i = 0; seen != NULL && i < n; i++) {
        struct lab_end end;
        if (lab_child(l, in_child, &a[i], 10, &end) != 0 || end.status != 0)
            continue;
        held[i] = (double)seen[0];
        lab_row(l, "%s|%.1f MB", a[i].name, held[i] / 1e6);
        if (strcmp(a[i].name, "jemalloc") == 0 || strcmp(a[i].name, "mimalloc") == 0)
            least = held[i] < least ? held[i] : least;
    }
    if (held[0] == 0 || least == INFINITY)
        lab_cannot(l, "libc_held_over_theirs", "neither jemalloc nor mimalloc is installed");
    else
        lab_exact(l, "libc_held_over_theirs", held[0] / least, "x");
    if (held[0] != 0 && held[1] != 0)
        lab_exact(l, "libc_held_over_loam", held[0] / held[1], "x");
}

static const struct claim claims[] = {
    {S3, "topic 4", "libc's time over the best heap's", "speeds up significantly", "libc_over_best",
     1.1, INFINITY, "x"},
    {S3, "topic 4", "libc's memory over jemalloc's or mimalloc's, with threads",
     "handle fragmentation better", "libc_held_over_theirs", 1.0, INFINITY, "x"},
};

LAB_EXPERIMENT(C13) = {
    .question = "Does another allocator make a program faster, or smaller?",
    .prediction = "The texts say so, of jemalloc and mimalloc, above all with many threads.",
    .method = "Time: a random one of 20,000 blocks is replaced, sizes as programs have them, on "
              "each heap that is installed, in turn. Memory: a child for each heap runs four "
              "threads four times; each replaces what its predecessor left and keeps a tenth; then "
              "resident memory is read. Heaps are opened beside libc and called by address.",
    .look = "Whether both claims hold is a matter of the program: libc is often the leanest, and "
            "here the allocator is all that runs. `loam bench -- your program` asks about yours.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
