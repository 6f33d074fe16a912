// rng.h: random numbers, the same for the same seed on every machine (splitmix64).
#pragma once

#include "base/base.h"

struct rng {
    u64 state;
};

static inline u64 rng_next(struct rng *r)
{
    u64 x = r->state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

// 0 .. n-1.
static inline u64 rng_below(struct rng *r, u64 n)
{
    return (u64)((unsigned __int128)rng_next(r) * n >> 64);
}

// A random order of 0 .. n-1.
static inline void rng_shuffle(struct rng *r, u32 *order, u32 n)
{
    for (u32 i = 0; i < n; i++)
        order[i] = i;
    for (u32 i = n; i > 1; i--) {
        u32 j = (u32)rng_below(r, i), t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
}

// A random cycle through 0 .. n-1 that visits every one (Sattolo): next[i] follows i. A random
// permutation would fall apart into short cycles, and a chase would measure the one it is in.
static inline void rng_cycle(struct rng *r, u32 *next, u32 n)
{
    for (u32 i = 0; i < n; i++)
        next[i] = i;
    for (u32 i = n - 1; i > 0; i--) {
        u32 j = (u32)rng_below(r, i), t = next[i];
        next[i] = next[j];
        next[j] = t;
    }
}
