// D7 false-sharing: two counters in one cache line.

#include "lab/lab.h"

struct pair {
    char *base;
    u32 distance;
};

static void atomically(void *of, u64 rounds, u32 who)
{
    const struct pair *p = of;
    u64 *mine = (u64 *)(p->base + who * p->distance);
    for (u64 i = 0; i < rounds; i++)
        __atomic_fetch_add(mine, 1, __ATOMIC_RELAXED);
}

static void plainly(void *of, u64 rounds, u32 who)
{
    const struct pair *p = of;
    volatile u64 *mine = (volatile u64 *)(p->base + who * p->distance);
    for (u64 i = 0; i < rounds; i++)
        *mine = *mine + 1;
}

static void run(struct lab *l)
{
    char *base = lab_memory(l, 4096, LAB_4K);
    if (base == NULL)
        return;
    struct pair together = {base, 8}, apart = {base, 256};
    struct arm arms[] = {
        {"atomic_one_line", .team = atomically, .threads = 2, .of = &together},
        {"atomic_two_lines", .team = atomically, .threads = 2, .of = &apart},
        {"plain_one_line", .team = plainly, .threads = 2, .of = &together},
        {"plain_two_lines", .team = plainly, .threads = 2, .of = &apart},
    };
    if (!lab_time(l, arms, countof(arms)))
        return;
    lab_ratio(l, "atomic_slowdown", &arms[0], &arms[1]);
    lab_ratio(l, "plain_slowdown", &arms[2], &arms[3]);
    lab_why(l, "atomic_slowdown",
            "two threads here; the factor grows with the cores that take part "
            "and with the distance between them");
    lab_why(l, "plain_slowdown", "the store buffer hides part of it; two threads here");
}

static const struct claim claims[] = {
    {S3, "topic 7", "false sharing, atomic counters", "10-50 times", "atomic_slowdown", 10, 50,
     "x"},
    {S3, "topic 7", "false sharing, plain counters", "10-50 times", "plain_slowdown", 10, 50, "x"},
};

LAB_EXPERIMENT(D7) = {
    .question = "What if two threads write to different variables in one cache line?",
    .prediction = "Each write takes the line away from the other core: 10 to 50 times slower.",
    .method =
        "Two threads on two processors add to a counter each, eight bytes apart and 256 bytes "
        "apart, atomically and with plain additions. Threads are made and pinned before they "
        "start together; the time is that of the slower one.",
    .look = "The ratio, on this machine, with two threads. Nothing in the program is shared: only "
            "the line is.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
