// A7 ilp: one chain of additions, or eight at once.

#include "lab/lab.h"

enum { COUNT = 4096 };

static void one_chain(void *of, u64 rounds)
{
    const float *a = of;
    for (u64 r = 0; r < rounds; r++) {
        float sum = 0;
        for (u32 i = 0; i < COUNT; i++)
            sum += a[i];
        KEEP(sum);
    }
}

static void eight_chains(void *of, u64 rounds)
{
    const float *a = of;
    for (u64 r = 0; r < rounds; r++) {
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
        for (u32 i = 0; i < COUNT; i += 8) {
            s0 += a[i], s1 += a[i + 1], s2 += a[i + 2], s3 += a[i + 3];
            s4 += a[i + 4], s5 += a[i + 5], s6 += a[i + 6], s7 += a[i + 7];
        }
        KEEP(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7);
    }
}

static void run(struct lab *l)
{
    float *numbers = lab_memory(l, COUNT * sizeof *numbers, LAB_4K);
    if (numbers == NULL)
        return;
    for (u32 i = 0; i < COUNT; i++)
        numbers[i] = 1;
    struct arm arms[] = {
        {"one_chain", .run = one_chain, .of = numbers, .ops = COUNT, .in_cycles = true},
        {"eight_chains", .run = eight_chains, .of = numbers, .ops = COUNT, .in_cycles = true},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "speedup", &arms[0], &arms[1]);
}

static const struct claim claims[] = {
    {S3, "topic 2", "independent instructions", "run in parallel", "speedup", 1.5, INFINITY, "x"},
};

LAB_EXPERIMENT(A7) = {
    .question = "Does a core do independent additions at the same time?",
    .prediction = "Yes: an out-of-order core starts every instruction whose operands are ready.",
    .method = "The sum of 4,096 floats in the first cache. One variable makes one chain, in which "
              "each addition waits three or four cycles for the one before; eight variables make "
              "eight chains. The work is the same. No vectors: the loops are compiled without, and "
              "the compiler may not reorder additions of floats.",
    .look = "Cycles an element. With one chain it is the latency of an addition, with eight that "
            "divided by what overlaps.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
