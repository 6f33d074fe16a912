// B14 tlb: what a translation costs that the processor does not remember.

#include "lab/lab.h"

// One line in each page, and not the same one: lines 4096 bytes apart would share a cache set.
enum { STEP = 4096 + 64, LINE = 64, UNROLL = 8, POINTS = 12 };

struct node {
    struct node *next;
};

static void chase(void *of, u64 rounds)
{
    struct node **at = of, *p = *at;
    for (u64 i = 0; i < rounds; i++) {
        for (u32 k = 0; k < UNROLL; k++)
            p = p->next;
        UNKNOWN(p);
    }
    *at = p;
}

static struct node *link(struct lab *l, char *base, u32 *order, u32 n)
{
    rng_cycle(&l->rng, order, n);
    for (u64 i = 0; i < n; i++)
        ((struct node *)(base + i * STEP))->next = (struct node *)(base + (u64)order[i] * STEP);
    return (struct node *)base;
}

// The same lines of the same sets, once with small pages and once with huge ones: what differs is
// the translation.
static struct summary walk(struct lab *l, char *small, char *huge, u32 *order, u32 n,
                           double seconds, u32 series[2])
{
    struct node *a = link(l, small, order, n), *b = link(l, huge, order, n);
    struct arm arms[] = {
        {"small", .run = chase, .of = &a, .ops = UNROLL, .in_cycles = true},
        {"huge", .run = chase, .of = &b, .ops = UNROLL, .in_cycles = true},
    };
    arms[0].statistic = arms[1].statistic = LAB_FLOOR;
    if (!lab_time_quietly(l, arms, 2, seconds))
        return stat_exact(0);
    lab_point(l, series[0], n, arms[0].got);
    lab_point(l, series[1], n, arms[1].got);
    struct summary d = arms[0].got;
    d.value = arms[0].got.value - arms[1].got.value;
    d.low = arms[0].got.low - arms[1].got.high;
    d.high = arms[0].got.high - arms[1].got.low;
    d.min = d.median = d.value;
    return d;
}

static void run(struct lab *l)
{
    u32 most = (u32)lab_pick(l, 32768, 65536);
    u64 bytes = (u64)most * STEP + STEP;
    char *small = lab_memory(l, bytes, LAB_4K), *huge = lab_memory(l, bytes, LAB_HUGE);
    u32 *order = lab_memory(l, most * sizeof *order, LAB_4K);
    if (small == NULL || huge == NULL || order == NULL)
        return;
    link(l, huge, order, most);
    if (lab_smaps(huge, "AnonHugePages") < bytes / 2) {
        lab_cannot(l, NULL, "the kernel gives no huge pages to compare with");
        return;
    }
    u32 series[2] = {lab_series(l, "4 KiB pages", "pages in use", "cycles"),
                     lab_series(l, "2 MiB pages", "pages in use", "cycles")};
    struct summary warm = stat_exact(0), cold = stat_exact(0);
    double seconds = l->full ? 0.3 : 0.08;
    for (u32 n = 16; n <= most; n *= 2) {
        struct summary d = walk(l, small, huge, order, n, seconds, series);
        if (n == 4096)
            warm = d;
        cold = d;
    }
    lab_measured(l, "warm_walk", warm, "cycles");
    lab_measured(l, "cold_walk", cold, "cycles");
    lab_why(l, "warm_walk", "a small cache of upper levels and two levels of TLB hide the rest");
    lab_why(l, "cold_walk",
            "the entries of the page table miss the caches too, and a guest's walk "
            "goes through two tables");
}

static const struct claim claims[] = {
    {S3, "topic 3", "a TLB miss, tables in the cache", "10-100 cycles", "warm_walk", 10, 100,
     "cycles"},
    {S3, "topic 3", "a TLB miss, over a large area", "10-100 cycles", "cold_walk", 10, 100,
     "cycles"},
};

LAB_EXPERIMENT(B14) = {
    .question = "What does a TLB miss cost?",
    .prediction = "10 to 100 cycles for a walk through four levels of tables.",
    .method =
        "A chase through one line of each page, over more and more pages, with small pages and "
        "with huge ones, which are checked to be huge. Lines are 4160 bytes apart, so that they "
        "spread over all sets of the caches; both ways have the same lines, so that their "
        "difference is the translation.",
    .look = "The curves part twice: when the first TLB (some 70 pages) and when the second (some "
            "thousands) is full. At 4096 pages the tables are still in the cache; at the end they "
            "are not all, and a walk waits for memory.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
