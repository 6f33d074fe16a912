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
void heap_free_edge(struct heap *h, struct side *e);
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
    return w->base + lowest_bit(word) * w->size;
}

// Free block `index`, in word k, of h's own slab. The heap is busy. A block whose bit is set, in
// the bitmap or in the window, is not out: FREE_ODD, and nothing was done. FREE_EDGE: call
// slab_edge.
enum free_result { FREE_DONE, FREE_EDGE, FREE_ODD };
static always_inline_ enum free_result heap_free_local(struct heap *h, const struct desc *d,
                                                       struct side *e, u64 index, u64 k)
{
    const char *at = (const char *)h + d->cls * sizeof(struct window);
    __asm__("" : "+r"(at)); // the offset of `window` is in the instructions' displacements
    const struct window *w = ((const struct heap *)at)->window;
    u64 *word = &e->free[k];
    __asm__("" : "+r"(word)); // compute it once
    if (unlikely(bit_is_set(pick_if_equal(word, w->free, w->word), index)))
        return FREE_ODD;
    u64 bits = *word;
    if (unlikely(bit_set(&bits, index)))
        return FREE_ODD;
    *word = bits;
    return unlikely(count_down(&e->left)) ? FREE_EDGE : FREE_DONE;
}

// Busy comes first, then the look at the window: a handler that runs in between has left the heap
// as it is now, not as it was.
static always_inline_ void *heap_malloc(size_t size, int kind)
{
    struct heap *h = heap_fast;
    // A block of no bytes goes the slow way: one comparison rules out that and too large ones.
    if (likely(size - 1 < CLASS_SMALL_MAX && h->busy == 0)) {
        busy_begin(h);
        size_t at = class_window[(size - 1) >> 4];
        struct window *w = (struct window *)((char *)h->window + at);
        if (unlikely(w->word == 0))
            return heap_malloc_refill(h, w, size, kind);
        void *p = window_pop(w);
        busy_end(h);
        return p;
    }
    return heap_malloc_slow(size, false, kind);
}

// The same for who has more to do when all does not go well, and would else need a stack frame for
// it: false, and nothing was done.
static always_inline_ bool heap_malloc_try(size_t size, void **ret_p)
{
    struct heap *h = heap_fast;
    if (unlikely(size - 1 >= CLASS_SMALL_MAX || h->busy != 0))
        return false;
    busy_begin(h);
    size_t at = class_window[(size - 1) >> 4];
    struct window *w = (struct window *)((char *)h->window + at);
    bool has = likely(w->word != 0);
    if (has)
        *ret_p = window_pop(w);
    busy_end(h);
    return has;
}

// False: nothing was done, p is not for this.
static always_inline_ bool heap_free_on(struct heap *h, void *p)
{
    size_t offset = arena_offset(p);
    if (likely(is_below(offset, &arena.bytes) && h->busy == 0)) {
        // desc[offset >> PAGE_SHIFT]
        size_t at = offset >> (PAGE_SHIFT - DESC_SHIFT) & -sizeof(struct desc);
        const struct desc *d = (const struct desc *)((const char *)arena.desc + at);
        busy_begin(h);
        // Relaxed: only this thread ever stores `h` here, or takes it away (H3).
        if (likely(atomic_load_explicit(&d->owner, memory_order_relaxed) == h)) {
            struct side *e = d->side;
            u64 magic = e->magic;
            __asm__("" : "+r"(magic)); // widened once
            // Pages are aligned, so p's low bits are its offset in the page.
            u64 product = ((u32)((uintptr_t)p & (PAGE_SIZE - 1)) + d->back) * magic;
            // The low half tells whether the offset is a multiple of the size (class_test.c).
            if (likely((u32)product < (u32)magic)) {
                switch (heap_free_local(h, d, e, product >> 32, product >> 38)) {
                case FREE_DONE:
                    busy_end(h);
                    return true;
                case FREE_EDGE:
                    heap_free_edge(h, e);
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
