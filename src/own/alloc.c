// alloc.c: allocator values, and the one that is loam's heap.
//
// The heap stands first in every question because it is the default: a NULL table is cheaper to
// test than a call through a pointer, and makes zeroed containers work. Only the heap's block
// sizes can be checked against a layout; other allocators check what they can.
#include <loam/alloc.h>

#include "base/base.h"

#include <errno.h>
#include <loam/heap.h>
#include <string.h>

#define HEAP_ALIGN 16 // what loam_malloc gives without being asked

static void *heap_fresh(loam_layout l, bool zero)
{
    if (l.align <= HEAP_ALIGN)
        return zero ? loam_calloc(1, l.size) : loam_malloc(l.size);
    void *p = loam_aligned_alloc(l.align, l.size);
    if (p != NULL && zero)
        memset(p, 0, l.size);
    return p;
}

static void heap_check_layout(const void *p, loam_layout l)
{
    if (unlikely(loam_usable_size(p) < l.size))
        die("alloc: released by a layout that is larger than the block", p);
    if (unlikely(((uintptr_t)p & (l.align - 1)) != 0))
        die("alloc: released by a layout of another alignment", p);
}

static void *give(loam_alloc a, loam_layout l, bool zero)
{
    if (!loam_layout_valid(l)) {
        errno = EINVAL;
        return NULL;
    }
    l.size = size_max(l.size, 1);
    return a.ops == NULL ? heap_fresh(l, zero) : a.ops->fresh(a.self, l, zero);
}

void *loam_alloc_new(loam_alloc a, loam_layout l)
{
    return give(a, l, false);
}

void *loam_alloc_new_zeroed(loam_alloc a, loam_layout l)
{
    return give(a, l, true);
}

// For alignments that realloc does not keep, and allocators that cannot resize.
static void *move(loam_alloc a, void *p, loam_layout from, size_t size)
{
    void *q = give(a, loam_layout_make(size, from.align), false);
    if (q == NULL)
        return NULL;
    memcpy(q, p, size_min(from.size, size));
    loam_alloc_free(a, p, from);
    return q;
}

void *loam_alloc_resize(loam_alloc a, void *p, loam_layout from, size_t size)
{
    loam_layout to = loam_layout_make(size_max(size, 1), from.align);
    if (p == NULL || !loam_layout_valid(to))
        return give(a, to, false);
    from.size = size_max(from.size, 1);
    if (a.ops == NULL && from.align <= HEAP_ALIGN) {
        heap_check_layout(p, from);
        return loam_realloc(p, to.size);
    }
    if (a.ops == NULL || a.ops->resize == NULL)
        return move(a, p, from, to.size);
    return a.ops->resize(a.self, p, from, to.size);
}

void loam_alloc_free(loam_alloc a, void *p, loam_layout l)
{
    if (p == NULL)
        return;
    if (unlikely(!loam_layout_valid(l)))
        die("alloc: released by a layout that is not valid", p);
    l.size = size_max(l.size, 1);
    if (a.ops != NULL) {
        a.ops->release(a.self, p, l);
        return;
    }
    heap_check_layout(p, l);
    loam_free(p);
}
