// C14 reuse: a buffer for each turn, or one for all.

#include "lab/allocators.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE = 1024, TURNS = 1000 };

struct work {
    const struct allocator *a;
    char *kept;
    u64 calls;
};

static void use(char *buffer)
{
    memset(buffer, 1, 64); // a short message in a long buffer
    KEEP(buffer);
}

static void each_time(void *of, u64 rounds)
{
    struct work *w = of;
    for (u64 i = 0; i < rounds * TURNS; i++) {
        char *buffer = w->a->take(SIZE);
        w->calls++;
        use(buffer);
        w->a->give(buffer);
    }
}

static void reused(void *of, u64 rounds)
{
    struct work *w = of;
    for (u64 i = 0; i < rounds * TURNS; i++)
        use(w->kept);
}

static void run(struct lab *l)
{
    struct allocator a[ALLOCATORS_MAX];
    allocators_find(a);
    struct work fresh = {&a[0], NULL, 0}, one = {&a[0], a[0].take(SIZE), 1};
    if (one.kept == NULL)
        return;
    each_time(&fresh, 1);
    lab_exact(l, "allocations", (double)(fresh.calls / one.calls), "x");
    struct arm arms[] = {
        {"allocated_each_time", .run = each_time, .of = &fresh, .ops = TURNS},
        {"reused", .run = reused, .of = &one, .ops = TURNS},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "slower", &arms[0], &arms[1]);
    a[0].give(one.kept);
}

static const struct claim claims[] = {
    {S4, NULL, "allocations, of 1,000 turns", "N times fewer", "allocations", TURNS, TURNS, "x"},
    {S4, NULL, "time of a turn", "reuse is faster", "slower", 1.05, INFINITY, "x"},
};

LAB_EXPERIMENT(C14) = {
    .question = "Is it worth reusing a buffer instead of allocating one each time?",
    .prediction = "A thousand turns make one allocation instead of a thousand.",
    .method = "Each turn needs a buffer of 1,024 bytes and writes 64 of them. One loop takes and "
              "frees it each time, the other keeps one.",
    .look = "The count is exact. The time tells how much a malloc is against the work of a turn: "
            "here the turn is short, and malloc shows.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
