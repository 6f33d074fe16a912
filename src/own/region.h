// region.h: how a region lies in memory, for those who look into it.
#pragma once

#include "base/base.h"

#include <loam/region.h>

// Q1  block is the newest; at and end lie in it, or are NULL when there is none.
// Q2  below + (at - first byte of block) is what was handed out.
// Q3  numbers of clean-ups grow from old to new, and so do those of blocks.
// Q4  the owner is registered iff the region has ever taken memory and is not closed.
// Q5  with LOAM=debug=on, end == at, so that no push is inline, and every push has a struct
//     loam_region_object before it; `objects` is the newest that is there.
struct loam_region_block {
    struct loam_region_block *older;
    size_t size;   // bytes, with this header
    size_t number; // Q3; tells a block from an earlier one at the same address
    size_t at;     // bytes handed out, written when a newer one is put in front
};

struct loam_region_object { // Q5
    struct loam_region_object *older;
    size_t size;
    const char *made; // "struct hdr, conn.c:88", or NULL
    u32 trace, thread;
};

static inline char *block_data(struct loam_region_block *b)
{
    return (char *)(b + 1);
}

extern const struct loam_owner_ops region_owner;

// Calls `see` with what was handed out of each block. The registry's locks are held (owner.h).
void region_each_block(const loam_region *r,
                       void (*see)(void *ctx, const void *from, const void *to), void *ctx);

// ---- region_debug.c
// Push with a header, from the memory at the cursor; NULL when it does not fit.
void *region_debug_push(loam_region *r, size_t size, size_t align, const char *made);
// The newest object that holds p.
const struct loam_region_object *region_debug_object(const loam_region *r, const void *p);
// Who lives longer, and points into what goes now? `blocks`, linked, down to `end`.
void region_debug_going(const loam_region *r, const struct loam_region_block *blocks,
                        const struct loam_region_block *end);
