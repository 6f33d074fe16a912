// A17 addmem: adding numbers that stand in memory.

#include "lab/lab.h"

enum { COUNT = 1024 };

// The sum, each number added by an instruction that names its place in memory.
static void add_from_memory(void *of, u64 rounds)
{
    const u64 *a = of;
    for (u64 r = 0; r < rounds; r++) {
        u64 sum = 0;
        for (u32 i = 0; i < COUNT; i++) {
#if defined(__x86_64__)
            __asm__ volatile("add %1, %0" : "+r"(sum) : "m"(a[i]));
#else
            u64 x;
            __asm__ volatile("ldr %0, %1" : "=r"(x) : "m"(a[i]));
            sum += x;
            UNKNOWN(sum);
#endif
        }
        KEEP(sum);
    }
}

static void load_then_add(void *of, u64 rounds)
{
    const u64 *a = of;
    for (u64 r = 0; r < rounds; r++) {
        u64 sum = 0;
        for (u32 i = 0; i < COUNT; i++) {
            u64 x = a[i];
            UNKNOWN(x);
            sum += x;
            UNKNOWN(sum);
        }
        KEEP(sum);
    }
}

// Read, add and write back, in one instruction or in three.
static void add_to_memory(void *of, u64 rounds)
{
    u64 *a = of;
    for (u64 r = 0; r < rounds; r++) {
        for (u32 i = 0; i < COUNT; i++) {
#if defined(__x86_64__)
            __asm__ volatile("add %1, %0" : "+m"(a[i]) : "r"(r));
#else
            *(volatile u64 *)&a[i] += r;
#endif
        }
    }
}

static void load_add_store(void *of, u64 rounds)
{
    u64 *a = of;
    for (u64 r = 0; r < rounds; r++) {
        for (u32 i = 0; i < COUNT; i++) {
            u64 x = a[i];
            UNKNOWN(x);
            x += r;
            UNKNOWN(x);
            *(volatile u64 *)&a[i] = x;
        }
    }
}

static void run(struct lab *l)
{
    u64 *numbers = lab_memory(l, COUNT * sizeof *numbers, LAB_4K);
    if (numbers == NULL)
        return;
    struct arm arms[] = {
        {"add_from_memory", .run = add_from_memory, .of = numbers, .ops = COUNT, .in_cycles = true},
        {"load_then_add", .run = load_then_add, .of = numbers, .ops = COUNT, .in_cycles = true},
        {"add_to_memory", .run = add_to_memory, .of = numbers, .ops = COUNT, .in_cycles = true},
        {"load_add_store", .run = load_add_store, .of = numbers, .ops = COUNT, .in_cycles = true},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "one_over_three", &arms[2], &arms[3]);
#if defined(__x86_64__)
    lab_check(l, "cannot_add_memory", false, "'add mem, reg' and 'add reg, mem' exist and ran");
    lab_check(l, "all_at_once", true, "one instruction reads, adds and writes back");
#else
    lab_check(l, "cannot_add_memory", true, "this instruction set loads before it adds");
    lab_check(l, "all_at_once", false, "this instruction set has no such instruction");
#endif
}

static const struct claim claims[] = {
    {S3, "topic 1", "numbers that reside in RAM", "the CPU cannot add them", "cannot_add_memory", 0,
     0, NULL},
    {S3, "topic 2", "read, add, write back", "all at once", "all_at_once", 0, 0, NULL},
    {S3, "topic 2", "one instruction against three", "all at once", "one_over_three", 0.1, 0.9,
     "x"},
};

LAB_EXPERIMENT(A17) = {
    .question = "Can a processor add a number that stands in memory?",
    .prediction = "One text says both: it cannot, and there are instructions that read, add and "
                  "write back all at once.",
    .method =
        "1,024 numbers in the first cache are added up, and added to, by instructions with an "
        "operand in memory (x86 has them), and by separate loads, additions and stores.",
    .look = "Both texts are right about something: the instruction exists, and inside the core it "
            "becomes a load, an addition and a store, which take the time that those take.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
