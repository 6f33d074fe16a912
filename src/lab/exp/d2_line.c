// D2 line: how much comes along when one byte is loaded.

#include "lab/lab.h"

enum { NEAREST = 8, FARTHEST = 256, STRIDES = 7 };

struct pair {
    char *base;
    u32 distance;
};

// Two threads, each adds to a counter of its own.
static void count(void *of, u64 rounds, u32 who)
{
    const struct pair *p = of;
    u64 *mine = (u64 *)(p->base + who * p->distance);
    for (u64 i = 0; i < rounds; i++)
        __atomic_fetch_add(mine, 1, __ATOMIC_RELAXED);
}

// The distance from which two counters no longer disturb each other: half way between the cost of
// neighbours and that of strangers, on a scale of ratios.
static void line_by_coherence(struct lab *l, char *base)
{
    struct pair pair[6];
    struct arm arms[6];
    u32 n = 0, series = lab_series(l, "two counters", "distance in bytes", "ns");
    for (u32 distance = NEAREST; distance <= FARTHEST; distance *= 2, n++) {
        pair[n] = (struct pair){base, distance};
        arms[n] = (struct arm){"counters", .team = count, .threads = 2, .of = &pair[n]};
    }
    if (!lab_time_quietly(l, arms, n, l->full ? 1.5 : 0.3))
        return;
    double half = sqrt(arms[0].got.value * arms[n - 1].got.value);
    u32 line = 0;
    for (u32 i = 0; i < n; i++) {
        lab_point(l, series, pair[i].distance, arms[i].got);
        if (line == 0 && arms[i].got.value < half)
            line = pair[i].distance;
    }
    if (arms[0].got.value < 1.5 * arms[n - 1].got.value) {
        lab_cannot(l, NULL, "neighbours cost no more than strangers: the threads did not overlap");
        return;
    }
    lab_measured(l, "line_bytes", stat_exact(line), "bytes");
    lab_measured(l, "ints_in_a_line", stat_exact(line / 4.0), "ints");
}

struct walk {
    const volatile char *at;
    u64 bytes, stride, now;
};

static void stride(void *of, u64 rounds)
{
    struct walk *w = of;
    for (u64 i = 0; i < rounds; i++) {
        (void)w->at[w->now];
        w->now = w->now + w->stride < w->bytes ? w->now + w->stride : 0;
    }
}

static void stride_curve(struct lab *l)
{
    u64 bytes = 64 * MiB;
    char *at = lab_memory(l, bytes, LAB_HUGE);
    if (at == NULL)
        return;
    for (u64 i = 0; i < bytes; i += 4096)
        at[i] = 1;
    struct walk walk[STRIDES];
    struct arm arms[STRIDES];
    for (u32 i = 0; i < STRIDES; i++) {
        walk[i] = (struct walk){at, bytes, 4u << i, 0};
        arms[i] = (struct arm){"load", .run = stride, .of = &walk[i]};
    }
    lab_time_quietly(l, arms, STRIDES, 0);
    u32 series = lab_series(l, "loads in order", "stride in bytes", "ns");
    for (u32 i = 0; i < STRIDES; i++)
        lab_point(l, series, (double)walk[i].stride, arms[i].got);
}

static void run(struct lab *l)
{
    char *base = lab_memory(l, 4096, LAB_4K);
    if (base == NULL)
        return;
    if (l->machine->cache_count > 0)
        lab_exact(l, "line_reported", l->machine->cache[0].line, "bytes");
    line_by_coherence(l, base);
    stride_curve(l);
}

static const struct claim claims[] = {
    {S3, "topic 7", "cache line, as observed", "64 bytes", "line_bytes", 64, 64, "bytes"},
    {S3, "topic 7", "cache line, as reported", "64 bytes", "line_reported", 64, 64, "bytes"},
    {S3, "topic 7", "i32 that come with one load", "the next 15 are free", "ints_in_a_line", 16, 16,
     "ints"},
};

LAB_EXPERIMENT(D2) = {
    .question = "How many bytes move when one is touched?",
    .prediction = "64: a cache line, sixteen ints.",
    .method =
        "Two threads on two processors count in counters that lie 8, 16, ... 256 bytes apart: "
        "as long as both are in one line, the line goes back and forth. That method sees the "
        "line itself. The usual one, a walk in growing strides, is drawn beside it.",
    .look =
        "The first curve falls at the size of a line. The second does not step there as sharply "
        "as books say: prefetchers fetch the next lines before they are asked for.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
