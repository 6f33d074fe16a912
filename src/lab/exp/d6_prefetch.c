// D6 prefetch: the same chain of loads, foreseeable and not.

#include "lab/lab.h"

enum { LINE = 64, STEPS = 32 };

struct line {
    struct line *next;
    char rest[LINE - sizeof(struct line *)];
};

static void chase(void *of, u64 rounds)
{
    struct line **at = of, *p = *at;
    for (u64 i = 0; i < rounds; i++) {
        for (u32 k = 0; k < STEPS; k++)
            p = p->next;
        UNKNOWN(p);
    }
    *at = p;
}

static void link_lines(struct line *lines, const u32 *order, u32 n)
{
    for (u32 i = 0; i < n; i++)
        lines[order[i]].next = &lines[order[i + 1 < n ? i + 1 : 0]];
}

static void run(struct lab *l)
{
    u64 most = lab_pick(l, 64, 256) * MiB;
    struct line *forward = lab_memory(l, most, LAB_HUGE), *random = lab_memory(l, most, LAB_HUGE);
    u32 *order = lab_memory(l, most / LINE * sizeof *order, LAB_HUGE);
    if (forward == NULL || random == NULL || order == NULL)
        return;
    u32 in_order = lab_series(l, "in order", "bytes", "ns");
    u32 shuffled = lab_series(l, "shuffled", "bytes", "ns");
    struct arm arms[2] = {{"in_order", .run = chase, .ops = STEPS},
                          {"shuffled", .run = chase, .ops = STEPS}};
    for (u64 bytes = 16 * KiB; bytes <= most; bytes *= 4) {
        u32 n = (u32)(bytes / LINE);
        for (u32 i = 0; i < n; i++)
            order[i] = i;
        link_lines(forward, order, n);
        rng_shuffle(&l->rng, order, n);
        link_lines(random, order, n);
        struct line *a = forward, *b = random;
        arms[0].of = &a, arms[1].of = &b;
        arms[0].rounds = arms[1].rounds = 0;
        lab_time_quietly(l, arms, 2, l->full ? 0.3 : 0.04);
        lab_point(l, in_order, (double)bytes, arms[0].got);
        lab_point(l, shuffled, (double)bytes, arms[1].got);
    }
    lab_measured(l, "in_order", arms[0].got, "ns");
    lab_measured(l, "shuffled", arms[1].got, "ns");
    lab_ratio(l, "gain", &arms[1], &arms[0]);
}

static const struct claim claims[] = {
    {S3, "topic 7", "what the prefetcher saves", "loads in advance", "gain", 3, INFINITY, "x"},
};

LAB_EXPERIMENT(D6) = {
    .question = "How much of memory's latency does the prefetcher hide?",
    .prediction = "Nearly all of it, when the addresses go up one line at a time.",
    .method = "The same chain of dependent loads, one pointer a line, linked in the order of the "
              "addresses and in random order, for sizes from the first cache to memory. Both touch "
              "every line once in a round: only the order differs.",
    .look =
        "The curves begin together and part where the caches end. The processor sees no pointers "
        "to follow: it sees addresses that go up, and bets on the next.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
