// clock.h: time, and the core's own clock.
//
// A core cycle is not a tick of the time stamp counter: that one runs at a fixed rate, whatever
// the core does. The core's frequency is found with a chain of dependent additions, one a cycle.
#pragma once

#include "base/base.h"

#include <time.h>

static inline u64 clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

double clock_overhead_ns(void); // what reading it costs
double clock_core_ghz(void);    // now, on this processor; takes under a millisecond

// The compiler must believe that `x` is used, and may keep it in a register.
#define KEEP(x) __asm__ volatile("" ::"r"(x) : "memory")
// It knows nothing of the value of `x` from here on.
#define UNKNOWN(x) __asm__ volatile("" : "+r"(x))
