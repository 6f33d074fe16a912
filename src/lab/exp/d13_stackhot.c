// D13 stackhot: a local array, and memory from anywhere.

#include "lab/lab.h"

enum { LOCAL = 512, STEPS = 1024 };

struct words {
    u64 *at;
    u32 shift; // 64 - log2 of how many
    u64 x;     // goes on from sample to sample: else each would visit the same places
};

// Each word that is read decides, by the generator that it goes into, which comes next.
static u64 wander(const volatile u64 *at, u32 shift, u64 x)
{
    for (u32 i = 0; i < STEPS; i++)
        x = x * 6364136223846793005u + at[x >> shift];
    return x;
}

static void on_heap(void *of, u64 rounds)
{
    struct words *w = of;
    for (u64 i = 0; i < rounds; i++)
        w->x = wander(w->at, w->shift, w->x);
}

// The array is a new one in each call, at the top of the stack, where the last one was.
__attribute__((noinline)) static u64 with_local(u32 shift, u64 x)
{
    u64 local[LOCAL];
    for (u32 i = 0; i < LOCAL; i++)
        local[i] = i | 1;
    KEEP(local);
    return wander(local, shift, x);
}

static void on_stack(void *of, u64 rounds)
{
    struct words *w = of;
    for (u64 i = 0; i < rounds; i++)
        w->x = with_local(w->shift, w->x);
}

static void run(struct lab *l)
{
    u64 count = 64 * MiB / 8;
    u64 *at = lab_memory(l, count * 8, LAB_DEFAULT);
    if (at == NULL)
        return;
    for (u64 i = 0; i < count; i++)
        at[i] = i | 1;
    struct words local = {NULL, 64 - 9, 1}, small = {at, 64 - 9, 1}, large = {at, 64 - 23, 1};
    struct arm arms[] = {
        {"local_4_kib", .run = on_stack, .of = &local, .ops = STEPS, .in_cycles = true},
        {"heap_4_kib", .run = on_heap, .of = &small, .ops = STEPS, .in_cycles = true},
        {"heap_64_mib", .run = on_heap, .of = &large, .ops = STEPS, .in_cycles = true},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "heap_over_stack", &arms[2], &arms[0]);
    lab_ratio(l, "small_heap_over_stack", &arms[1], &arms[0]);
    lab_why(l, "small_heap_over_stack",
            "a small heap block that is used often is as hot as the stack");
}

static const struct claim claims[] = {
    {S3, "topic 4", "scattered heap against stack", "the stack's top is in L1", "heap_over_stack",
     3, INFINITY, "x"},
    {S3, "topic 4", "small heap block against stack", "the stack is faster",
     "small_heap_over_stack", 1.2, INFINITY, "x"},
};

LAB_EXPERIMENT(D13) = {
    .question = "Is the stack hot because it is the stack?",
    .prediction = "Its top is used all the time, so it is in the first cache; the heap is wherever "
                  "it is.",
    .method =
        "Loads from random places, each of which decides the next, in a local array of 4 KiB, "
        "in 4 KiB of heap, and in 64 MiB of heap. The local array is filled anew in each "
        "call.",
    .look =
        "The large heap is far slower. The small one is not: what counts is how much is used, and "
        "how often, not what it is called.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
