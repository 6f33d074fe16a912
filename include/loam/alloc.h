// alloc.h: an allocator as a value.
//
// A container that calls malloc has decided for everybody where memory comes from. One that takes
// a loam_alloc leaves that to its user: the heap, a region (region.h), one that counts and limits
// (track.h), or one of your own. It is two words, passed by value; all zero means loam's heap, so
// that a zeroed container works. A pointer goes back to the allocator that it came from, with the
// layout it was asked with: then an allocator need not remember sizes.
//
//     loam_alloc a = loam_alloc_heap();
//     loam_layout l = loam_layout_array(loam_layout_of(double), 100);
//     double *d = loam_alloc_new(a, l);
//     loam_alloc_free(a, d, l);
//
// The heap may be called from any thread; other allocators say for themselves.
#ifndef LOAM_ALLOC_H
#define LOAM_ALLOC_H

#include <loam/layout.h>

LOAM_BEGIN_C

// What an allocator of your own implements. Layouts that arrive here are valid, and `size` is not
// 0. `fresh` gives memory, all zero if `zero` says so. `resize` changes a block to `size` bytes,
// moving it if need be; it may be NULL: then blocks are moved by fresh and release. `release`
// takes a block back, never NULL. Failure is NULL with errno set (ENOMEM as a rule) and leaves
// the old block as it was.
typedef struct loam_alloc_ops {
    void *(*fresh)(void *self, loam_layout layout, bool zero);
    void *(*resize)(void *self, void *p, loam_layout from, size_t size);
    void (*release)(void *self, void *p, loam_layout layout);
} loam_alloc_ops;

typedef struct loam_alloc {
    const loam_alloc_ops *ops; // NULL: loam's heap
    void *self;                // borrowed: must live as long as what was allocated
} loam_alloc;

// loam's heap (heap.h). The same as a zeroed loam_alloc.
static inline loam_alloc loam_alloc_heap(void)
{
    loam_alloc a = {NULL, NULL};
    return a;
}

// Give back a block of that layout. NULL is allowed. Keeps errno. A block of the heap that is too
// small for the layout ends the program: it was allocated by another.
LOAM_API LOAM_TAKES(2) void loam_alloc_free(loam_alloc a, void *p, loam_layout layout);

// A block of that layout, which the caller owns until loam_alloc_free; not initialised, or all
// zero. A size of 0 gives a block of one byte. NULL with errno ENOMEM when there is no memory,
// EINVAL when the layout is not valid.
LOAM_API LOAM_OWNED(loam_alloc_free, 2) LOAM_GIVES LOAM_NODISCARD
    void *loam_alloc_new(loam_alloc a, loam_layout layout);
LOAM_API LOAM_OWNED(loam_alloc_free, 2) LOAM_NODISCARD
    void *loam_alloc_new_zeroed(loam_alloc a, loam_layout layout);

// Make the block `p` of layout `from` fit `size` bytes; it may move. Contents stay up to the
// smaller size, what is new is not initialised. p NULL allocates. On failure NULL, and `p` is as
// it was. The new layout is {size, from.align}.
LOAM_API LOAM_NODISCARD void *loam_alloc_resize(loam_alloc a, void *p, loam_layout from,
                                                size_t size);

LOAM_END_C

#endif
