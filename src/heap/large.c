// large.c: blocks larger than the largest class: spans of whole pages, with a descriptor each.
#include "heap/pages.h"

#include <errno.h>
#include <string.h>

#define HUGE_OF(page) ((page) >> (HUGE_SHIFT - PAGE_SHIFT))

// From this size on a growing block is moved by remapping its pages (20 to 60 us for 16 MiB)
// instead of copying them (8 to 12 ms).
#define MOVE_MIN (256 * KiB)
// Each move can leave two more mappings, and the kernel allows 65,530 a process.
#define MOVES_MAX 8192

// Let pages [from, to) of the span lead to its first page (H2). Hugepages that the range covers
// whole get one entry, so that a block of 1 GiB touches a line of table, not 2 MiB of it.
static void mark_tail(u32 span, u32 from, u32 to)
{
    for (u32 page = from; page < to;) {
        if (page % HUGE_PAGES == 0 && to - page >= HUGE_PAGES) {
            arena.huge[HUGE_OF(page)] = span;
            page += HUGE_PAGES;
            continue;
        }
        arena.desc[page].back = desc_back(page - span);
        arena.desc[page].kind = PAGE_TAIL;
        page++;
    }
}

static void unmark_tail(u32 span, u32 from, u32 to)
{
    for (u32 page = from; page < to;) {
        u32 huge = HUGE_OF(page) * (u32)HUGE_PAGES; // its first page
        if (arena.huge[HUGE_OF(page)] != span) {
            arena.desc[page++].kind = PAGE_NONE;
            continue;
        }
        arena.huge[HUGE_OF(page)] = 0;
        mark_tail(span, huge, page); // a block that shrinks to inside a hugepage keeps these
        page = huge + (u32)HUGE_PAGES;
    }
}

// Bytes to pages; 0 when there are too many.
static u32 pages_for(size_t size)
{
    if (size > ARENA_SIZE_MAX - PAGE_SIZE)
        return 0;
    return (u32)(round_up(size_max(size, 1), PAGE_SIZE) >> PAGE_SHIFT);
}

static void *span_make(u32 span, u32 n)
{
    struct desc *d = &arena.desc[span];
    d->bytes = (u64)n << PAGE_SHIFT;
    d->pages = n;
    d->back = 0;
    d->tags = 0;
    d->blocks = 0;
    d->cls = 0;
    atomic_store_explicit(&d->owner, NULL, memory_order_relaxed);
    mark_tail(span, span + 1, span + n);
    __atomic_store_n(&d->kind, PAGE_LARGE, __ATOMIC_RELEASE);
    return page_addr(span);
}

// The heap grows: see holes.c. `fresh` bytes are new to the process: see slab_new.
static void make_room(size_t fresh)
{
    size_t growth = pages_growth();
    struct heap *h = growth != 0 || (fresh != 0 && pages_idle_count() > 0) ? heap_enter() : NULL;
    if (h == NULL)
        return;
    idle_give(h, fresh);
    if (growth != 0)
        holes_give(h, growth);
    heap_leave(h);
}

// A big table is often touched in few places: fresh pages cost only those, clearing costs all.
#define FRESH_MIN (1 * MiB)

static void clear(void *p, u32 n, size_t size)
{
    if (size < FRESH_MIN || os_purge(p, (size_t)n << PAGE_SHIFT) != 0)
        memset(p, 0, size);
}

void *large_alloc(size_t size, size_t align, bool zero)
{
    u32 n = pages_for(size);
    if (n == 0 || align > ARENA_ALIGN)
        return NULL;
    bool zeroed = false;
    u32 span = pages_take(n, align > PAGE_SIZE ? align >> PAGE_SHIFT : 1, &zeroed);
    if (span == 0)
        return NULL;
    void *p = span_make(span, n);
    make_room(zeroed ? (size_t)n << PAGE_SHIFT : 0);
    if (zero && !zeroed)
        clear(p, n, size);
    return p;
}

// Only one of two racing frees gets the block.
static u32 span_take(u32 span, void *p)
{
    struct desc *d = &arena.desc[span];
    if (p != page_addr(span))
        die("free: not the start of a block", p);
    if (__atomic_exchange_n(&d->kind, PAGE_NONE, __ATOMIC_ACQ_REL) != PAGE_LARGE)
        die("free: block was already freed", p);
    if (d->tags != 0)
        span_tags_gone(d);
    unmark_tail(span, span + 1, span + d->pages);
    return d->pages;
}

void large_free(u32 span, void *p)
{
    pages_give(span, span_take(span, p), true);
}

// `dirty`: the pages that leave may have been written.
static void *shrink(u32 span, void *p, u32 n, bool dirty)
{
    struct desc *d = &arena.desc[span];
    u32 old = d->pages;
    if (n == old)
        return p;
    unmark_tail(span, span + n, span + old);
    d->pages = n;
    d->bytes = (u64)n << PAGE_SHIFT;
    pages_give(span + n, old - n, dirty);
    return p;
}

// Move to a new span by remapping, with an eighth to spare for the next time, which costs
// addresses, not memory.
static void *move(u32 span, void *p, u32 n)
{
    static _Atomic u32 moves;
    struct desc *d = &arena.desc[span];
    size_t bytes = (size_t)d->pages << PAGE_SHIFT;
    if (bytes < MOVE_MIN || atomic_load_explicit(&moves, memory_order_relaxed) >= MOVES_MAX)
        return NULL;
    bool zeroed;
    u32 room = n + n / 8;
    pages_moving(d->pages, true);
    u32 to = pages_take(room, 1, &zeroed);
    pages_moving(d->pages, false);
    if (to == 0)
        return NULL;
    int r = os_move(p, page_addr(to), bytes);
    if (r < 0) {
        if (r != -ENXIO) // a hole in the arena is nobody's for ever
            pages_give(to, room, true);
        return NULL;
    }
    atomic_fetch_add_explicit(&moves, 1, memory_order_relaxed);
    void *q = span_make(to, room);
    arena.desc[to].tags = d->tags; // the block moves with its tag
    d->tags = 0;
    pages_give(span, span_take(span, p), false); // its pages have left: nothing to purge
    return shrink(to, q, n, !zeroed);
}

void large_mend(u32 span)
{
    mark_tail(span, span + 1, span + arena.desc[span].pages);
}

void *large_resize(u32 span, void *p, size_t size)
{
    struct desc *d = &arena.desc[span];
    u32 n = pages_for(size);
    if (n == 0)
        return NULL;
    if (n <= d->pages)
        return shrink(span, p, n, true);
    u32 old = d->pages;
    if (pages_extend(span + old, n - old)) {
        mark_tail(span, span + old, span + n);
        d->bytes = (u64)n << PAGE_SHIFT;
        d->pages = n;
        return p;
    }
    return move(span, p, n);
}
