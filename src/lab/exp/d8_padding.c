// D8 padding: a counter aligned to its own cache line.

#include "lab/lab.h"

struct pair {
    char *base;
    u32 distance;
};

static void count(void *of, u64 rounds, u32 who)
{
    const struct pair *p = of;
    u64 *mine = (u64 *)(p->base + who * p->distance);
    for (u64 i = 0; i < rounds; i++)
        __atomic_fetch_add(mine, 1, __ATOMIC_RELAXED);
}

static void run(struct lab *l)
{
    char *base = lab_memory(l, 8192, LAB_4K);
    if (base == NULL)
        return;
    struct pair pairs[] = {{base, 8}, {base, 64}, {base, 128}, {base, 1024}};
    struct arm arms[] = {
        {"apart_8", .team = count, .threads = 2, .of = &pairs[0]},
        {"apart_64", .team = count, .threads = 2, .of = &pairs[1]},
        {"apart_128", .team = count, .threads = 2, .of = &pairs[2]},
        {"apart_1024", .team = count, .threads = 2, .of = &pairs[3]},
    };
    if (!lab_time(l, arms, countof(arms)))
        return;
    lab_ratio(l, "gain", &arms[0], &arms[1]);
    lab_ratio(l, "left_at_64", &arms[1], &arms[3]);
    lab_ratio(l, "left_at_128", &arms[2], &arms[3]);
}

static const struct claim claims[] = {
    {S3, "topic 7", "align(64) helps", "align(64) cures it", "gain", 1.5, INFINITY, "x"},
    {S3, "topic 7", "what is left at 64 bytes", "align(64) cures it", "left_at_64", 0.8, 1.2, "x"},
};

LAB_EXPERIMENT(D8) = {
    .question = "Does aligning to 64 bytes cure false sharing?",
    .prediction = "Wholly: counters in different lines do not disturb each other.",
    .method = "Two threads, a counter each, 8, 64, 128 and 1,024 bytes apart.",
    .look = "At 64 bytes the cost should be that of 1,024. Where it is not, a prefetcher fetches "
            "lines in pairs, and padding to 128 bytes is safer.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
