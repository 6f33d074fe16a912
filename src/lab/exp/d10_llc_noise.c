// D10 llc-noise: a neighbour who floods the shared cache.

#include "lab/lab.h"

#include <stdatomic.h>

enum { LINE = 64, STEPS = 8 };

struct line {
    struct line *next;
    char rest[LINE - sizeof(struct line *)];
};

struct scene {
    struct line *at;
    volatile char *flood; // what the neighbour streams through; NULL: it does nothing
    u64 flood_bytes;
    atomic_bool over;
};

static void start(void *of)
{
    struct scene *s = of;
    atomic_store(&s->over, false);
}

// The first thread is the victim and is timed; the second streams until that has ended.
static void both(void *of, u64 rounds, u32 who)
{
    struct scene *s = of;
    if (who == 0) {
        struct line *p = s->at;
        for (u64 i = 0; i < rounds * STEPS; i++)
            p = p->next;
        s->at = p;
        atomic_store(&s->over, true);
        return;
    }
    for (u64 at = 0; s->flood != NULL && !atomic_load_explicit(&s->over, memory_order_relaxed);) {
        for (u32 i = 0; i < 64; i++)
            s->flood[at + i * LINE]++;
        at = at + 128 * LINE <= s->flood_bytes ? at + 64 * LINE : 0;
    }
}

static struct line *cycle(struct lab *l, u64 bytes)
{
    u32 n = (u32)(bytes / LINE);
    struct line *lines = lab_memory(l, bytes, LAB_HUGE);
    u32 *next = lab_memory(l, n * sizeof *next, LAB_HUGE);
    if (lines == NULL || next == NULL)
        return NULL;
    rng_cycle(&l->rng, next, n);
    for (u32 i = 0; i < n; i++)
        lines[i].next = &lines[next[i]];
    return lines;
}

static void run(struct lab *l)
{
    u64 l2 = machine_cache(l->machine, 2), flood_bytes = lab_pick(l, 128, 512) * MiB;
    l2 = l2 == 0 ? 256 * KiB : l2;
    char *flood = lab_memory(l, flood_bytes, LAB_HUGE);
    struct line *in_l2 = cycle(l, l2 / 2 < MiB / 2 ? l2 / 2 : MiB / 2), *in_l3 = cycle(l, 3 * l2);
    if (flood == NULL || in_l2 == NULL || in_l3 == NULL)
        return;
    struct scene scenes[] = {{.at = in_l2},
                             {.at = in_l2, .flood = flood, .flood_bytes = flood_bytes},
                             {.at = in_l3},
                             {.at = in_l3, .flood = flood, .flood_bytes = flood_bytes}};
    struct arm arms[] = {
        {"l2_alone", .team = both, .of = &scenes[0]},
        {"l2_beside_flood", .team = both, .of = &scenes[1]},
        {"l3_alone", .team = both, .of = &scenes[2]},
        {"l3_beside_flood", .team = both, .of = &scenes[3]},
    };
    for (u32 i = 0; i < countof(arms); i++) {
        arms[i].threads = 2;
        arms[i].before = start;
        arms[i].rounds = i < 2 ? 8000 : 400;
        arms[i].ops = STEPS;
    }
    if (!lab_time(l, arms, countof(arms)))
        return;
    lab_ratio(l, "l3_slowdown", &arms[3], &arms[2]);
    lab_ratio(l, "l2_slowdown", &arms[1], &arms[0]);
    lab_why(l, "l3_slowdown",
            "the cache is large, or divided between cores: the flood does not reach "
            "the victim's part");
}

static const struct claim claims[] = {
    {S3, "topic 7", "a victim in L3 beside a flood", "others starve", "l3_slowdown", 1.2, INFINITY,
     "x"},
};

LAB_EXPERIMENT(D10) = {
    .question = "Can one core spoil the shared cache for another?",
    .prediction = "Yes: a stream of writes evicts everybody's lines from the last level.",
    .method = "A victim chases pointers through a set that fits its own second cache, and one that "
              "needs the third. On another processor a thread writes through many MiB, or does "
              "nothing; both scenes are measured in turn, with the same two threads.",
    .look =
        "The set in the second cache is private and hardly suffers; the other is slowed by both "
        "evictions and a busy bus.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
