// find.h: from an address to everything known about it, by arithmetic.
#pragma once

#include "heap/class.h"

// A1  base is aligned to ARENA_ALIGN, so a page number aligned to n pages is an address aligned
//     to n pages, up to that.
// A2  pages < `pages` have mapped table entries; arena.bytes == pages * PAGE_SIZE.
#define ARENA_ALIGN (1 * GiB)

struct arena {
    uintptr_t shift; // 0 - base: address + shift is an offset (arena_offset)
    size_t bytes;    // A2; grows only; an offset below it may be looked up without a fault
    struct desc *desc;
    struct side *side;
    struct state *state;
    struct remote *remote;
    char *base;          // for who has a block, or the pages' lock
    _Atomic u32 sampled; // not 0: slow paths ask sample.c; a tool may set it while threads run
    u32 *huge;
    // Sampling (sample.c); set once, before threads, but for sample_on.
    const struct heap_sampler *sampler; // NULL: never
    const _Atomic u32 *sample_on;       // replaced once by heap_sample_go
    u64 sample_seed;
    struct heap_wish wish;
} aligned_(64);
extern hidden_ struct arena arena;

static always_inline_ bool arena_sampled(void)
{
    return unlikely(atomic_load_explicit(&arena.sampled, memory_order_relaxed) != 0);
}

static inline char *page_addr(u32 page)
{
    return arena.base + ((size_t)page << PAGE_SHIFT);
}

static inline u32 page_of(const void *p)
{
    return (u32)((size_t)((const char *)p - arena.base) >> PAGE_SHIFT);
}

// Relaxed: who has got a block from another thread has got with it what was published before.
static inline size_t arena_bytes(void)
{
    return __atomic_load_n(&arena.bytes, __ATOMIC_RELAXED);
}

// Relaxed and atomic, for a free(NULL) may ask while another thread's first allocation settles the
// arena. It need not see that: bytes are published later, and before them nothing is in the arena.
// An addition, because gcc folds no atomic load into a subtraction: free would grow by a move.
static always_inline_ size_t arena_offset(const void *p)
{
    return (uintptr_t)p + __atomic_load_n(&arena.shift, __ATOMIC_RELAXED);
}

static inline bool in_arena(const void *p)
{
    return arena_offset(p) < arena_bytes();
}

// The first page of the live span that `page` is part of; 0 when there is none (page 0 never
// belongs to a span, H1 and H2).
static inline u32 span_of(u32 page)
{
    const struct desc *d = &arena.desc[page];
    if (d->kind == PAGE_TAIL)
        return desc_first(d, page);
    if (d->kind == PAGE_NONE)
        return arena.huge[page >> (HUGE_SHIFT - PAGE_SHIFT)];
    return page;
}

// The slab that p points into, and the number of the block there; NULL when it is in none. For who
// asks at each call; heap_find answers for all kinds of blocks.
static always_inline_ struct desc *find_slab(const void *p, u32 *ret_index)
{
    if (unlikely(!in_arena(p)))
        return NULL;
    u32 span = span_of(page_of(p));
    struct desc *d = &arena.desc[span];
    if (unlikely(span == 0 || d->kind != PAGE_SLAB))
        return NULL;
    *ret_index = block_index(class_info[d->cls].magic, desc_size(d),
                             (size_t)((const char *)p - page_addr(span)));
    return likely(*ret_index < d->blocks) ? d : NULL;
}
