// B15 hugepages: what large pages gain, for three ways to walk.

#include "lab/lab.h"

enum { LINE = 64, UNROLL = 8, WAYS = 3 };

struct line {
    struct line *next;
    u64 rest[7];
};

struct area {
    struct line *lines, *at;
    u64 count, x, next;
};

static void chase(void *of, u64 rounds)
{
    struct area *a = of;
    struct line *p = a->at;
    for (u64 i = 0; i < rounds; i++)
        p = p->next;
    UNKNOWN(p);
    a->at = p;
}

// Addresses are computed, so that loads overlap.
static void scattered(void *of, u64 rounds)
{
    struct area *a = of;
    u64 x = a->x;
    for (u64 i = 0; i < rounds; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        KEEP(a->lines[(x >> 33) & (a->count - 1)].rest[0]);
    }
    a->x = x;
}

static void in_order(void *of, u64 rounds)
{
    struct area *a = of;
    u64 n = a->next;
    for (u64 i = 0; i < rounds; i++) {
        KEEP(a->lines[n].rest[0]);
        n = (n + 1) & (a->count - 1);
    }
    a->next = n;
}

static struct area fill(struct line *lines, const u32 *order, u64 count)
{
    for (u64 i = 0; i < count; i++)
        lines[i].next = &lines[order[i]];
    return (struct area){lines, lines, count, 1, 0};
}

static void compare(struct lab *l, struct area *small, struct area *huge, bool last,
                    const u32 series[WAYS])
{
    static const char *const key[WAYS] = {"random_gain", "chase_gain", "sequential_gain"};
    void (*const way[WAYS])(void *, u64) = {scattered, chase, in_order};
    struct arm arms[2 * WAYS];
    for (u32 i = 0; i < WAYS; i++) {
        arms[2 * i] = (struct arm){"small", .run = way[i], .of = small};
        arms[2 * i + 1] = (struct arm){"huge", .run = way[i], .of = huge};
    }
    if (!lab_time_quietly(l, arms, countof(arms), l->full ? 2 : 0.5))
        return;
    for (u32 i = 0; i < WAYS; i++) {
        struct summary gain =
            stat_ratio(&arms[2 * i].samples, &arms[2 * i + 1].samples, false, &l->rng);
        lab_point(l, series[i], (double)(small->count * LINE), gain);
        gain.value = (gain.value - 1) * 100;
        gain.low = (gain.low - 1) * 100;
        gain.high = (gain.high - 1) * 100;
        if (last)
            lab_measured(l, key[i], gain, "%");
    }
}

static void run(struct lab *l)
{
    u64 most = lab_pick(l, 128, 256) * MiB, count = most / LINE;
    struct line *small = lab_memory(l, most, LAB_4K), *huge = lab_memory(l, most, LAB_HUGE);
    u32 *order = lab_memory(l, count * sizeof *order, LAB_HUGE);
    if (small == NULL || huge == NULL || order == NULL)
        return;
    u32 series[WAYS] = {lab_series(l, "random reads", "bytes", "x"),
                        lab_series(l, "chase", "bytes", "x"),
                        lab_series(l, "in order", "bytes", "x")};
    for (u64 bytes = most / 64; bytes <= most; bytes *= 8) {
        u64 n = bytes / LINE;
        rng_cycle(&l->rng, order, (u32)n);
        struct area a = fill(small, order, n), b = fill(huge, order, n);
        if (bytes == most / 64 && lab_smaps(huge, "AnonHugePages") < bytes / 2) {
            lab_cannot(l, NULL, "the kernel gives no huge pages here");
            return;
        }
        compare(l, &a, &b, bytes == most, series);
    }
    lab_why(l, "chase_gain", "a chase waits for each walk; how much depends on the working set");
    lab_why(l, "sequential_gain", "64 lines share a translation, and the walk is done ahead");
    lab_why(l, "random_gain", "how much depends on the working set, and on how much overlaps");
}

static const struct claim claims[] = {
    {S3, "topic 3", "huge pages, random reads", "10-15 % faster", "random_gain", 9.5, 15.5, "%"},
    {S3, "topic 3", "huge pages, dependent loads", "10-15 % faster", "chase_gain", 9.5, 15.5, "%"},
    {S3, "topic 3", "huge pages, reads in order", "10-15 % faster", "sequential_gain", 9.5, 15.5,
     "%"},
};

LAB_EXPERIMENT(B15) = {
    .question = "How much faster is a program with huge pages?",
    .prediction = "10 to 15 %.",
    .method = "The same lines are read with pages of 4 KiB and of 2 MiB: at random, so that reads "
              "overlap; along a chain, so that they do not; and in order. Huge pages are asked "
              "for and then checked (AnonHugePages), because asking is not getting. The verdict "
              "is that of the largest area; the curve has smaller ones.",
    .look = "There is no such number as 'the' gain: it grows with the working set, and what waits "
            "for translations gains most. A walk in order gains least, where it needs a new "
            "translation for every 64th line only.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
