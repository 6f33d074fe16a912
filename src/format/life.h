// life.h: how long a block lived, from 24 bits in its tag.
//
// Time is the tool's: ticks of 4.2 ms since the session began, in the header of the recording, so
// that telling it costs a load. (Asking the processor costs 10 ns, twice for each block; all the
// rest of counting costs less.) What lives shorter than a tick is short, and needs no exact number:
// most of that is temporary, which is counted by itself.
//
// A birth is kept as a number of 20 bits and an exponent: exact for the first 73 minutes, then to
// one part in 500,000 of the time since the session began: to a second after a week. Both ends of a
// life are rounded the same way, so a life that ends within the same unit reads as 0, not as one.
#pragma once

#include "format/recording.h"

#define LIFE_BITS 20

static inline u32 life_code(u64 ticks)
{
    if (likely(ticks >> LIFE_BITS == 0))
        return (u32)ticks;
    u32 e = 64 - LIFE_BITS - (u32)__builtin_clzll(ticks);
    return e > 15 ? UINT32_MAX >> 8 : e << LIFE_BITS | (u32)(ticks >> e);
}

static inline u64 life_ticks(u32 code)
{
    return (u64)(code & ((1u << LIFE_BITS) - 1)) << (code >> LIFE_BITS);
}

// The bucket of record_lives for a block that was born at `birth` and dies at `now`, which is
// another moment, both as codes. Should time have gone back, the shortest.
static inline u32 life_bucket(u32 birth, u32 now)
{
    u64 from = life_ticks(birth), to = life_ticks(now);
    if (unlikely(to <= from))
        return 0;
    u32 i = 63 - (u32)__builtin_clzll(to - from);
    return i < LIVES_BUCKETS ? i : LIVES_BUCKETS - 1;
}
