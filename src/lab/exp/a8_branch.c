// A8 branch: a branch that is guessed, and one that cannot be.

#include "lab/lab.h"

#include <stdlib.h>

enum { COUNT = 65536, LEARNED = 2000 };

struct bytes {
    const u8 *at;
    u32 count;
};

// The empty assembler keeps this a branch: it must not run when the condition is false.
static void with_branch(void *of, u64 rounds)
{
    const struct bytes *b = of;
    for (u64 r = 0; r < rounds; r++) {
        u64 sum = 0;
        for (u32 i = 0; i < b->count; i++) {
            if (b->at[i] >= 128) {
                sum += b->at[i];
                UNKNOWN(sum);
            }
        }
        KEEP(sum);
    }
}

static void without_branch(void *of, u64 rounds)
{
    const struct bytes *b = of;
    for (u64 r = 0; r < rounds; r++) {
        u64 sum = 0;
        for (u32 i = 0; i < b->count; i++) {
            u64 mask = -(u64)(b->at[i] >= 128);
            sum += b->at[i] & mask;
            UNKNOWN(sum);
        }
        KEEP(sum);
    }
}

static int by_value(const void *a, const void *b)
{
    return *(const u8 *)a - *(const u8 *)b;
}

// How long a random pattern may be until the predictor no longer knows it by heart.
static void memory_of_the_predictor(struct lab *l, const u8 *random)
{
    u32 series = lab_series(l, "random, repeated", "elements", "cycles");
    for (u32 count = 256; count <= COUNT; count *= 2) {
        struct bytes b = {random, count};
        struct arm arm = {"branch", .run = with_branch, .of = &b, .ops = count, .in_cycles = true};
        lab_time_quietly(l, &arm, 1, l->full ? 0.1 : 0.02);
        lab_point(l, series, count, arm.got);
        samples_done(&arm.samples);
    }
}

static void run(struct lab *l)
{
    u8 *random = lab_memory(l, COUNT, LAB_4K), *sorted = lab_memory(l, COUNT, LAB_4K);
    if (random == NULL || sorted == NULL)
        return;
    for (u32 i = 0; i < COUNT; i++)
        sorted[i] = random[i] = (u8)(rng_next(&l->rng) >> 56);
    qsort(sorted, COUNT, 1, by_value);
    struct bytes in_order = {sorted, COUNT}, shuffled = {random, COUNT}, few = {random, LEARNED};
    struct arm arms[] = {
        {"sorted", .run = with_branch, .of = &in_order, .ops = COUNT, .in_cycles = true},
        {"random", .run = with_branch, .of = &shuffled, .ops = COUNT, .in_cycles = true},
        {"random_branchless", .run = without_branch, .of = &shuffled, .ops = COUNT,
         .in_cycles = true},
        {"random_2000", .run = with_branch, .of = &few, .ops = LEARNED, .in_cycles = true},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "random_over_sorted", &arms[1], &arms[0]);
    lab_ratio(l, "branch_over_none", &arms[1], &arms[2]);
    // Half of the guesses are wrong.
    lab_measured(l, "cycles_a_mispredict", stat_exact(2 * (arms[1].got.value - arms[0].got.value)),
                 "cycles");
    memory_of_the_predictor(l, random);
}

static const struct claim claims[] = {
    {S3, "topic 2", "a wrong guess flushes the pipeline", "flushes the pipeline",
     "random_over_sorted", 1.5, INFINITY, "x"},
    {S3, "topic 2", "fewer branches are faster", "fewer branches, faster", "branch_over_none", 1.2,
     INFINITY, "x"},
};

LAB_EXPERIMENT(A8) = {
    .question = "What does a branch cost that the processor cannot guess?",
    .prediction = "A dozen cycles or more for each wrong guess: what was begun is thrown away.",
    .method = "Add up the bytes that are at least 128, of 65,536 random ones and of the same ones "
              "sorted; and without a branch, with a mask. An array of 2,000 would not do: the "
              "predictor learns it by heart within a few rounds, as the curve shows.",
    .look = "Random against sorted: the same instructions, another order of the data. The curve "
            "rises where the predictor's memory ends.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
