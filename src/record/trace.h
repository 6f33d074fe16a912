// trace.h: backtraces that are remembered, and proven before they are used again.
//
// Most mallocs of a program come from where it has been before: the outer frames of its stack, and
// often all of them, are those of an earlier backtrace. A walk that is remembered need not be
// walked again: it is enough to see that the words of the stack which it depended on are the same.
// These can be compared side by side, where a walk must wait for each one before it can find the
// next.
//
// What is remembered are legs: a leg is a run of a few frames, from a given pc at a given stack
// pointer to the caller of the last one. It lists the words that the walk had to read to get from
// its first frame to its last, with what stood there. A backtrace is a chain of legs; stacks that
// have their outer frames in common share legs. docs/unwind.md says why the result is right (L1 to
// L6) and how that is tested.
//
// L1  a leg holds where the walk stands at its `key` and `sp`, with its `rbp` if LEG_RBP is set,
//     and every word `at` from sp is `word`. Then the walk passes the same frames as it did when
//     the leg was made, and stands where the leg says.
// L2  no word is read that the stack's view has not proven readable: sp + reach <= view.hi. On the
//     thread's own stack that is so for all legs of a cache whose `hi` is the view's.
// L3  all legs of a cache were made from rules of one generation.
// L4  a cache is used by one thread at a time, and not by a signal handler that interrupts it.
#pragma once

#include "record/unwind.h"

#define LEG_CHECKS 8

enum leg_flags {
    LEG_RBP = 1,    // holds for this rbp only
    LEG_FIXED = 2,  // where it leads was read from checked words: see make_fixed
    LEG_LAST = 4,   // its last frame was called by nobody, or no way on is known
    LEG_CUT = 8,    // with LEG_LAST: no way on is known
    LEG_SKIPS = 32, // in the recorder's own code, before the first frame that counts
    LEG_SAVES = 16, // the caller's rbp stands at rbp_at; else rbp is unchanged
};

struct leg {
    u64 key, sp;          // L1; key 0: empty
    u64 rbp;              // with LEG_RBP
    u64 sum;              // of its frames, as walk.h sums them
    u16 up;               // words from sp to the stack pointer of where it leads
    u16 rbp_at;           // words from sp, with LEG_SAVES
    u16 reach;            // L2, in words
    u16 next;             // number of the leg that came behind it last: a guess
    u8 frames, checks;    // checks: those that are used
    u8 flags;             // enum leg_flags
    u8 streak;            // times in a row that the guess was right
    u8 patience;          // when that many, the two become one leg; 0: 256
    u8 pad[3];            //
    u16 at[LEG_CHECKS];   // words from sp
    u64 word[LEG_CHECKS]; // what stood there
} aligned_(16);
static_assert(sizeof(struct leg) == 128, "two cache lines");

#define TRACE_LEGS_MIN 64
#define TRACE_LEGS_MAX 1024

// Zeroed memory is an empty cache.
struct trace_cache {
    u64 generation; // L3
    u64 hi;         // L2
    u32 mask;       // legs in use, less one
    u32 made;       // since the number of legs last grew
    struct leg legs[TRACE_LEGS_MAX] aligned_(64);
};

// As unwind_hash, by what `c` remembers; from the caller of a function on. False when only
// unwind_hash can tell.
bool trace_hash(struct trace_cache *c, const struct unwind_caller *from, struct unwind_trace *ret);
