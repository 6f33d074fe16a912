// advice.h: what a program could do with less, told of the place where it matters most.
//
// Four things that counters show and a reader easily misses: blocks a few bytes above a size class,
// pages of large blocks that nobody touches, blocks that live for a moment only, and buffers that
// grow by copying. Small matters are not mentioned.
#pragma once

#include "report/place.h"

enum advice_kind { ADVICE_UNTOUCHED, ADVICE_ROUNDING, ADVICE_TEMPORARY, ADVICE_COPIED };
#define ADVICE_MAX 4

struct advice {
    const char *code;    // for machines: "untouched"
    struct place *place; // the one where there is most of it
    u64 bytes;           // that it is about
    char text[128];      // half a sentence, for people
};
struct advices {
    struct advice items[ADVICE_MAX];
    u32 count;
};
struct advices advices_of(const struct places *places, const struct totals *t);

// Bytes that a block takes that was asked for with `size` bytes: its size class, or whole pages.
u64 advice_room(u64 size);
// The largest such size that is not above `size`; 0 below the smallest.
u64 advice_below(u64 size);
