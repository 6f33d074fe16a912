// class.h: size classes: which block sizes exist, and how a slab of each is laid out.
//
// Sizes go 16, 32, .. 128, then eight to a doubling up to 32 KiB, so that rounding up wastes at
// most an eighth. A slab has as many pages as it takes to hold 64 blocks up to 1 KiB, 16 up to
// 4 KiB and 8 beyond, and to waste at most 1/32 at its tail. With 16 blocks of 1 KiB a thread that
// replaced blocks of all sizes went from slab to slab for single blocks (docs/windows.md).
#pragma once

#include "heap/heap.h"

struct class_info {
    u32 size;   // bytes a block
    u32 magic;  // ceil(2^32 / size): index = offset * magic >> 32
    u16 blocks; // in a slab
    u16 pages;  // of a slab
};
extern const struct class_info class_info[CLASS_COUNT];

// Bytes a block of a slab.
static inline u32 desc_size(const struct desc *d)
{
    return class_info[d->cls].size;
}

// Class of requests of 1 byte to 1 KiB, by (size - 1) / 16, times sizeof(struct window): the fast
// path's only table.
#define CLASS_SMALL_MAX ((size_t)1024)
extern const u16 class_window[CLASS_SMALL_MAX / 16];

// The class of a request of `size` <= CLASS_SIZE_MAX bytes. Computed, not looked up.
static inline unsigned class_of(size_t size)
{
    if (size <= 128)
        return size == 0 ? 0 : (unsigned)((size - 1) >> 4);
    unsigned shift =
        60u - (unsigned)__builtin_clzll(size - 1); // an eighth of the power of two below
    return (shift - 4) * 8 + (unsigned)((size - 1) >> shift);
}
