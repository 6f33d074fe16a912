// A13 bounds: an index that is checked each time.

#include "lab/lab.h"

#include <stdlib.h>

enum { COUNT = 4096 };

struct array {
    const u32 *at;
    u64 count;
    const u32 *order; // the same indices, where the compiler cannot foresee them
};

static void unchecked(void *of, u64 rounds)
{
    const struct array *a = of;
    for (u64 r = 0; r < rounds; r++) {
        u64 sum = 0;
        for (u64 i = 0; i < COUNT; i++)
            sum += a->at[a->order[i]];
        KEEP(sum);
    }
}

static void checked(void *of, u64 rounds)
{
    const struct array *a = of;
    for (u64 r = 0; r < rounds; r++) {
        u64 sum = 0;
        for (u64 i = 0; i < COUNT; i++) {
            if (a->order[i] >= a->count)
                abort();
            sum += a->at[a->order[i]];
        }
        KEEP(sum);
    }
}

static void run(struct lab *l)
{
    u32 *at = lab_memory(l, COUNT * sizeof *at, LAB_4K);
    u32 *order = lab_memory(l, COUNT * sizeof *order, LAB_4K);
    if (at == NULL || order == NULL)
        return;
    rng_shuffle(&l->rng, order, COUNT);
    for (u32 i = 0; i < COUNT; i++)
        at[i] = i;
    struct array array = {at, COUNT, order};
    struct arm arms[] = {
        {"unchecked", .run = unchecked, .of = &array, .ops = COUNT, .in_cycles = true},
        {"checked", .run = checked, .of = &array, .ops = COUNT, .in_cycles = true},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "price", &arms[1], &arms[0]);
    lab_why(l, "price", "a branch that is never taken is always guessed right");
}

static const struct claim claims[] = {
    {S3, "topic 9", "an index that is checked", "bounds checks cost", "price", 1.05, INFINITY, "x"},
};

LAB_EXPERIMENT(A13) = {
    .question = "What does a bounds check cost?",
    .prediction = "A comparison and a branch for each element.",
    .method = "The sum of 4,096 numbers, by indices that come from another array, so that the "
              "compiler can neither prove nor hoist the check; with and without it.",
    .look = "The branch is always guessed right; what is left is two more instructions, where the "
            "core has room for them. A13b has the other half of the claim: iterators.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
