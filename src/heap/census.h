// census.h: what the heap holds, counted from its own tables.
//
// Nothing is counted while the heap works: a census walks all descriptors and bitmaps, some 30 ns a
// slab. It is exact when no other thread is inside the heap; else each slab is right for some
// instant during the walk. Takes the page heap's lock for a moment; allocates nothing.
#pragma once

#include "heap/class.h"

struct class_count {
    u64 slabs;
    u64 capacity; // blocks that the slabs hold
    u64 live;     // blocks that the program has
};

struct census {
    struct class_count cls[CLASS_COUNT];
    u64 large_blocks, large_bytes; // spans of their own, in the arena
    u64 far_blocks, far_bytes;     // blocks in mappings of their own
    u64 small_bytes;               // of live blocks in slabs
    u64 slab_bytes;                // of the pages of slabs
    u64 hole_bytes;                // memory inside slabs that the kernel has back
    u64 dirty_bytes;               // free pages that still hold memory
    u64 clean_bytes;               // free pages that hold none
    u64 mapped_bytes;              // address space of the arena
    u64 metadata_bytes;            // loam's own mappings beside it, resident or not
    u64 chunks;                    // how many mappings those are
    u64 heaps;                     // threads' heaps, waiting ones included
};
void census_take(struct census *ret);

// Number `i` of the named figures ("heap.live_bytes", "class.64.live", ...): false when there are
// fewer. The name is static, or put into buf.
#define CENSUS_NAME_MAX 40
bool census_name(size_t i, char buf[CENSUS_NAME_MAX]);
// The figure of that name; false when there is none of it.
bool census_read(const struct census *c, const char *name, u64 *ret);
