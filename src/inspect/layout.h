// layout.h: where a record wastes room, and which order of its members would waste less.
//
// All of it is arithmetic on a record's own numbers, which may be hostile: sizes are 64 bits of
// bits, and nothing is allocated by them.
#pragma once

#include "inspect/shape.h"

#define LAYOUT_LINE 64 // bytes of a cache line

struct hole {
    u64 at, size; // in bits
    u32 before;   // index of the member behind it; record's count: it is padding at the end
};

struct layout {
    const struct shape *record;
    struct hole *holes; // between members, then the padding
    u32 holes_count;
    u64 wasted;       // bits in holes and padding
    u64 lines;        // cache lines of an object that begins at one
    u32 straddlers;   // members no larger than a line that lie on two
    u32 shared_pairs; // atomics and locks that share a line with another one
    // The suggested order: indices of the members of depth 0, the bases first; NULL: as it is.
    u32 *order;
    u64 *order_at; // offsets in that order, in bits, by place in it
    u32 order_count;
    u64 best; // bytes in that order
};

// Everything lives in the store.
void layout_of(struct layout *l, struct store *store, const struct shape *r);
// Whether a member is an atomic that shares its line with another one.
bool layout_crowded(const struct layout *l, const struct member *m);
