// D11 smt: do two processors share a core?

#include "lab/lab.h"

// Work that keeps all arithmetic units busy, so that a sibling must wait.
static void work(u64 rounds)
{
    u64 a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;
    for (u64 i = 0; i < rounds * 16; i++) {
        a += b, c += d, e += f, g += h;
        UNKNOWN(a);
        UNKNOWN(c);
        UNKNOWN(e);
        UNKNOWN(g);
        b ^= a, d ^= c, f ^= e, h ^= g;
        UNKNOWN(b);
        UNKNOWN(d);
        UNKNOWN(f);
        UNKNOWN(h);
    }
}

static void one(void *of, u64 rounds, u32 who)
{
    (void)of;
    if (who == 0)
        work(rounds);
}

static void both(void *of, u64 rounds, u32 who)
{
    (void)of;
    (void)who;
    work(rounds);
}

static void run(struct lab *l)
{
    struct arm arms[] = {
        {"one_works", .team = one, .threads = 2},
        {"both_work", .team = both, .threads = 2},
    };
    if (!lab_time(l, arms, countof(arms)))
        return;
    double slowdown = lab_ratio(l, "slowdown", &arms[1], &arms[0]);
    lab_check(l, "told_to_be_siblings", l->machine->smt, "%s",
              l->machine->smt ? "the kernel lists a sibling" : "the kernel lists no siblings");
    if (slowdown < 1.1)
        lab_cannot(l, "slowdown",
                   "two threads of pure arithmetic do not slow each other (%.2fx): "
                   "these processors share no core",
                   slowdown);
}

static const struct claim claims[] = {
    {S3, "topic 7", "SMT siblings", "slow each other", "slowdown", 1.1, INFINITY, "x"},
};

LAB_EXPERIMENT(D11) = {
    .question = "Do two of this machine's processors share a core?",
    .prediction = "Siblings share the arithmetic units and slow each other; separate cores do not.",
    .method =
        "Two threads on the first two processors do arithmetic on registers that fills a core, "
        "once both and once one of them. No memory is touched, so only the core can be the "
        "reason. What the kernel says of siblings is told beside it: a guest may be told "
        "anything.",
    .look =
        "A ratio of 1 means two cores (or two siblings that the host keeps apart); 1.5 to 2 means "
        "one core.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
