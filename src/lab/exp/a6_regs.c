// A6 regs: what a register costs, and a variable in memory.

#include "lab/lab.h"

enum { CHAIN = 32 };

#define FOUR(x)    x x x x
#define THIRTY2(x) FOUR(x) FOUR(x) FOUR(x) FOUR(x) FOUR(x) FOUR(x) FOUR(x) FOUR(x)

static void register_add(void *of, u64 rounds)
{
    (void)of;
    u64 sum = 1, one = 1;
    for (u64 i = 0; i < rounds; i++) {
#if defined(__x86_64__)
        __asm__ volatile(THIRTY2("add %1, %0\n") : "+r"(sum) : "r"(one));
#else
        __asm__ volatile(THIRTY2("add %0, %0, %1\n") : "+r"(sum) : "r"(one));
#endif
    }
}

// Two copies there and back for each one addition: what they add to it is what copies cost.
static void register_copy(void *of, u64 rounds)
{
    (void)of;
    u64 a = 1, b = 1, one = 1;
    for (u64 i = 0; i < rounds; i++) {
#if defined(__x86_64__)
        __asm__ volatile(THIRTY2("mov %0, %1\nmov %1, %0\nadd %2, %0\n")
                         : "+r"(a), "+r"(b)
                         : "r"(one));
#else
        __asm__ volatile(THIRTY2("mov %1, %0\nmov %0, %1\nadd %0, %0, %2\n")
                         : "+r"(a), "+r"(b)
                         : "r"(one));
#endif
    }
}

static void memory_add(void *of, u64 rounds)
{
    volatile u64 *in_memory = of;
    for (u64 i = 0; i < rounds; i++) {
        for (u32 k = 0; k < CHAIN; k++)
            *in_memory = *in_memory + 1;
    }
}

static void memory_load(void *of, u64 rounds)
{
    void **p = of;
    for (u64 i = 0; i < rounds; i++) {
        for (u32 k = 0; k < CHAIN; k++) {
            p = *p;
            UNKNOWN(p);
        }
    }
}

static void registers_here(struct lab *l)
{
#if defined(__x86_64__)
    bool wide = __builtin_cpu_supports("avx512f"), half = __builtin_cpu_supports("avx2");
    double general = 16, vectors = wide ? 32 : 16, bytes = wide ? 64 : half ? 32 : 16;
#else
    double general = 31, vectors = 32, bytes = 16;
#endif
    lab_exact(l, "general_registers", general, "registers");
    lab_exact(l, "general_bytes", general * 8, "bytes");
    lab_exact(l, "vector_bytes", vectors * bytes, "bytes");
}

static void run(struct lab *l)
{
    static void *self;
    static u64 counter;
    self = &self;
    struct arm arms[] = {
        {"register_add", .run = register_add, .ops = CHAIN, .in_cycles = true,
         .statistic = LAB_FLOOR},
        {"add_and_two_copies", .run = register_copy, .ops = CHAIN, .in_cycles = true,
         .statistic = LAB_FLOOR},
        {"memory_add", .run = memory_add, .of = &counter, .ops = CHAIN, .in_cycles = true,
         .statistic = LAB_FLOOR},
        {"memory_load", .run = memory_load, .of = &self, .ops = CHAIN, .in_cycles = true,
         .statistic = LAB_FLOOR},
    };
    lab_time(l, arms, countof(arms));
    lab_measured(l, "register_operand", arms[0].got, "cycles");
    if (arms[1].got.value < 1.5 * arms[0].got.value)
        lab_partly(l, "register_operand",
                   "copies between registers cost nothing (they are renamed), "
                   "an addition one cycle");
    registers_here(l);
}

static const struct claim claims[] = {
    {S3, "topic 7", "an operation on registers", "instant (0 cycles)", "register_operand", 0, 0.5,
     "cycles"},
    {S4, NULL, "an operation on registers", "1 cycle", "register_add", 0.5, 1.5, "cycles"},
    {S3, "topic 2", "general-purpose registers", "16-32", "general_registers", 16, 32, "registers"},
    {S4, NULL, "size of the registers", "~100 bytes", "general_bytes", 50, 150, "bytes"},
};

LAB_EXPERIMENT(A6) = {
    .question = "What does it cost to use a register, and to use memory instead?",
    .prediction = "The texts disagree: nothing, or one cycle. A load from the first cache takes "
                  "about four.",
    .method =
        "Chains in which each step needs the one before: additions in a register; an addition "
        "with two copies; an addition to a variable in memory, which is a load, an addition "
        "and a store that the next load must find; plain loads.",
    .look = "An addition takes its one cycle wherever its operands come from; reading a register "
            "adds nothing, and a copy disappears when registers are renamed. Some cores rename "
            "memory, too: then the variable costs less than a load from the cache.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
