// A5 vn-gap: an addition against a load from memory.

#include "lab/lab.h"

enum { LINE = 64, UNROLL = 8, ADDS = 64 };

struct line {
    struct line *next;
    char rest[LINE - sizeof(struct line *)];
};

static void add(void *of, u64 rounds)
{
    (void)of;
    u64 sum = 1, one = 1;
    UNKNOWN(one);
    for (u64 i = 0; i < rounds; i++) {
        for (u32 k = 0; k < ADDS; k++) {
            sum += one;
            UNKNOWN(sum);
        }
    }
    KEEP(sum);
}

static void chase(void *of, u64 rounds)
{
    struct line **at = of, *p = *at;
    for (u64 i = 0; i < rounds; i++) {
        for (u32 k = 0; k < UNROLL; k++)
            p = p->next;
        UNKNOWN(p);
    }
    *at = p;
}

struct field {
    struct line *lines;
    u64 count;
};

// Random lines again, but each address is computed, so that the next need not wait for this one.
static void scattered(void *of, u64 rounds)
{
    static u64 x = 1;
    const struct field *f = of;
    for (u64 i = 0; i < rounds; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        KEEP(f->lines[(x >> 33) & (f->count - 1)].next);
    }
}

static void run(struct lab *l)
{
    u64 bytes = 64 * MiB, n = bytes / LINE;
    struct line *lines = lab_memory(l, bytes, LAB_HUGE);
    u32 *order = lab_memory(l, n * sizeof *order, LAB_HUGE);
    if (lines == NULL || order == NULL)
        return;
    rng_cycle(&l->rng, order, (u32)n);
    for (u64 i = 0; i < n; i++)
        lines[i].next = &lines[order[i]];
    struct line *at = lines;
    struct field field = {lines, n};
    struct arm arms[] = {
        {"add", .run = add, .ops = ADDS, .statistic = LAB_FLOOR},
        {"dependent_load", .run = chase, .of = &at, .ops = UNROLL, .statistic = LAB_FLOOR},
        {"independent_load", .run = scattered, .of = &field, .statistic = LAB_FLOOR},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "latency_gap", &arms[1], &arms[0]);
    lab_ratio(l, "throughput_gap", &arms[2], &arms[0]);
    lab_why(l, "throughput_gap", "loads that do not wait for each other overlap");
}

static const struct claim claims[] = {
    {S3, "topic 1", "memory against core, latency", "hundreds of times", "latency_gap", 100, 999,
     "x"},
    {S3, "topic 1", "the same, loads overlapping", "hundreds of times", "throughput_gap", 100, 999,
     "x"},
};

LAB_EXPERIMENT(A5) = {
    .question = "How much faster is the processor than the memory?",
    .prediction = "Hundreds of times: von Neumann's bottleneck.",
    .method = "One addition that needs the one before, against one load from 64 MiB that needs the "
              "load before. Then random loads whose addresses are computed, so that many are on "
              "their way at once. Huge pages, so that this is memory and not the TLB.",
    .look = "The gap is one of latency. A program that lets its loads overlap sees only a fraction "
            "of it: that is what out-of-order cores and prefetchers are for.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
