// clock.c: calibrating the timer and the core.

#include "lab/clock.h"

enum { READINGS = 2000, CHAIN = 64, TURNS = 1000, TRIES = 6 };

double clock_overhead_ns(void)
{
    u64 best = UINT64_MAX;
    for (u32 i = 0; i < TRIES; i++) {
        u64 start = clock_ns();
        for (u32 k = 0; k < READINGS; k++)
            KEEP(clock_ns());
        u64 took = clock_ns() - start;
        best = took < best ? took : best;
    }
    return (double)best / READINGS;
}

// Sixty-four additions, each of which needs the one before. Of two registers: some cores fold
// additions of a constant into one.
#define ADD4(add)  add add add add
#define ADD64(add) ADD4(ADD4(ADD4(add)))
static u64 add_chain(u64 turns)
{
    u64 sum = 1, one = 1;
    for (u64 i = 0; i < turns; i++) {
#if defined(__x86_64__)
        __asm__ volatile(ADD64("add %1, %0\n") : "+r"(sum) : "r"(one));
#else
        __asm__ volatile(ADD64("add %0, %0, %1\n") : "+r"(sum) : "r"(one));
#endif
    }
    return sum;
}

double clock_core_ghz(void)
{
    u64 best = UINT64_MAX;
    for (u32 i = 0; i < TRIES; i++) {
        u64 start = clock_ns();
        KEEP(add_chain(TURNS));
        u64 took = clock_ns() - start;
        best = took < best ? took : best;
    }
    return (double)TURNS * CHAIN / (double)best;
}
