// fast.h: malloc and free, when all goes well.
//
// malloc takes the lowest bit of its class's window; free finds the descriptor by arithmetic and
// sets a bit. Neither touches the block. Everything else is a call to a slow half (alloc.c), which
// starts over from the beginning. The numbers that shaped this file are in docs/windows.md.
#pragma once

#include "heap/arena.h"

void *heap_malloc_slow(size_t size, bool zero, int kind);
void heap_free_slow(void *p, int kind);
// Tails of the fast paths, which they jump to with the heap busy, so that they need no stack frame.
void *heap_malloc_refill(struct heap *h, struct window *w, size_t size, int kind);
void heap_free_edge(struct heap *h, u32 slab);
void heap_free_odd(void *p); // does not return, but is jumped to

// G1: the heap is busy from before its first change to after its last one. Plain stores: only a
// signal handler of this thread, or somebody who has stopped it, looks.
static always_inline_ void busy_begin(struct heap *h)
{
    *(volatile u8 *)&h->busy = 1;
    compiler_barrier();
}
static always_inline_ void busy_end(struct heap *h)
{
    compiler_barrier();
    *(volatile u8 *)&h->busy = 0;
}

static always_inline_ void *window_pop(struct window *w)
{
    u64 word = w->word;
    w->word = word & (word - 1);
    return w->base + (u64)(u32)__builtin_ctzll(word) * w->size;
}

// Free block `index` of h's own slab. The heap is busy. A block whose bit is set, in the bitmap or
// in the window, is not out: FREE_ODD, and nothing was done. FREE_EDGE: call slab_edge.
enum free_result { FREE_DONE, FREE_EDGE, FREE_ODD };
static always_inline_ enum free_result heap_free_local(struct heap *h, const struct desc *d,
                                                       u32 slab, u32 index)
{
    struct side *e = &arena.side[slab];
    u64 m = (u64)1 << (index & 63);
    u64 *word = &e->free[index >> 6];
    __asm__("" : "+r"(word)); // compute it once; w, too
    const struct window *w = &h->window[d->cls];
    __asm__("" : "+r"(w));
    u64 bits = *word;
    if (unlikely((bits | pick_if_equal(word, w->free, w->word)) & m))
        return FREE_ODD;
    *word = bits | m;
    return unlikely(count_down(&e->left)) ? FREE_EDGE : FREE_DONE;
}

// Busy comes first, then the look at the window: a handler that runs in between has left the heap
// as it is now, not as it was.
static always_inline_ void *heap_malloc(size_t size, int kind)
{
    struct heap *h = heap_fast;
    if (likely(size <= CLASS_SMALL_MAX && h->busy == 0)) {
        busy_begin(h);
        size_t at = class_window[(size + 15) >> 4];
        struct window *w = (struct window *)((char *)h->window + at);
        if (unlikely(w->word == 0))
            return heap_malloc_refill(h, w, size, kind);
        void *p = window_pop(w);
        busy_end(h);
        return p;
    }
    return heap_malloc_slow(size, false, kind);
}

// False: nothing was done, p is not for this.
static always_inline_ bool heap_free_on(struct heap *h, void *p)
{
    size_t offset = arena_offset(p);
    if (likely(offset < arena_bytes() && h->busy == 0)) {
        u32 page = (u32)(offset >> PAGE_SHIFT);
        const struct desc *d = &arena.desc[page];
        busy_begin(h);
        // Relaxed: only this thread ever stores `h` here, or takes it away (H3).
        if (likely(atomic_load_explicit(&d->owner, memory_order_relaxed) == h)) {
            u32 slab = page - d->hop;
            u64 product = (offset - ((size_t)slab << PAGE_SHIFT)) * d->magic;
            // The low half tells whether the offset is a multiple of the size (class_test.c).
            if (likely((u32)product < d->magic)) {
                switch (heap_free_local(h, d, slab, (u32)(product >> 32))) {
                case FREE_DONE:
                    busy_end(h);
                    return true;
                case FREE_EDGE:
                    heap_free_edge(h, slab);
                    return true;
                case FREE_ODD:
                    heap_free_odd(p);
                    return true;
                }
            }
        }
        busy_end(h);
    }
    return false;
}

static always_inline_ void heap_free_fast(void *p, int kind)
{
    if (!heap_free_on(heap_fast, p))
        heap_free_slow(p, kind);
}
