// gc_alloc.c: an object for the program.
//
// The fast path takes the lowest bit of a window, as malloc does. The address is computed before
// the bit goes, and the compiler may not forget it: a thread that is stopped in between has the
// object in its window, one that is stopped later has its address in a register (gc.h).
#include "own/gc.h"

#include <errno.h>
#include <string.h>

#define TOUCH_PAGES 4 // slabs up to so many pages

static void *no_memory(int e)
{
    errno = e;
    return NULL;
}

// ---------------------------------------------------------------- windows

// Zero the objects of a new window while nobody has them: runs at once, not one by one.
static void zero_window(const struct gc_window *w, u64 bits)
{
    while (bits != 0) {
        unsigned from = (unsigned)__builtin_ctzll(bits);
        u64 rest = ~(bits >> from);
        unsigned run = rest == 0 ? 64 - from : (unsigned)__builtin_ctzll(rest);
        memset(w->base + (size_t)from * w->size, 0, (size_t)run * w->size);
        if (from + run >= 64)
            return;
        bits &= ~(u64)0 << (from + run);
    }
}

// The next word of the window's slab that has free objects. The lock is held.
static bool next_word(loam_gc *gc, struct gc_window *w)
{
    const struct gc_slab *s = &gc->slab[w->slab];
    u64 *free = gc_words(gc->free, w->slab);
    for (u32 k = w->at; k * 64 < s->blocks; k++) {
        u64 bits = free[k];
        if (bits == 0)
            continue;
        w->at = k + 1;
        w->base = (char *)(uintptr_t)gc->blocks.span[w->slab].start + (size_t)k * 64 * w->size;
        w->slot = w->slab * GC_SLOTS + k * 64;
        free[k] = 0;
        w->word = bits;
        gc->allocated += (size_t)bits_in(bits) * w->size;
        return true;
    }
    return false;
}

static u32 take_slab(loam_gc *gc, unsigned kind, unsigned cls)
{
    u32 slab = gc->list[kind][cls];
    if (slab == 0)
        return gc_slab_new(gc, kind, cls);
    assert(gc->slab[slab].state == GC_LISTED); // G2
    gc->list[kind][cls] = gc->slab[slab].next;
    return slab;
}

// A copy that was made shares all pages, and each would cost a fault when it is first written to.
// Where much of a slab is going to be, all that is left of it is asked for in one call.
struct range {
    char *at;
    size_t bytes;
};
static struct range shared_range(loam_gc *gc, const struct gc_window *w)
{
    struct gc_slab *s = &gc->slab[w->slab];
    if (s->copies == gc->copies)
        return (struct range){NULL, 0};
    s->copies = gc->copies;
    const u64 *free = gc_words(gc->free, w->slab);
    u32 have = bits_in(w->word), from = w->at - 1;
    for (u32 k = w->at; k < gc_slab_words(s); k++)
        have += bits_in(free[k]);
    if (have < s->blocks / 4 || s->pages > TOUCH_PAGES)
        return (struct range){NULL, 0};
    u64 start = gc->blocks.span[w->slab].start;
    u64 end = (start & ~(u64)(PAGE_SIZE - 1)) + s->pages * PAGE_SIZE;
    start = (start + (u64)from * 64 * w->size) & ~(u64)(OS_PAGE - 1);
    return (struct range){(char *)(uintptr_t)start, end - start};
}

static bool refill(loam_gc *gc, struct gc_window *w, unsigned kind, unsigned cls)
{
    assert(w->word == 0);
    for (;;) {
        if (w->slab != 0) {
            if (next_word(gc, w))
                return true;
            gc->slab[w->slab].state = GC_FULL;
            w->slab = 0;
        }
        u32 slab = take_slab(gc, kind, cls);
        if (slab == 0)
            return false;
        gc->slab[slab].state = GC_CURRENT;
        w->slab = slab;
        w->at = 0;
    }
}

static bool is_due(loam_gc *gc)
{
    return gc->allocated >= gc->budget;
}

// The window has run dry: fill it, and collect before if that is due, or after all if there is no
// memory. Threads may be stopped, and `w` looked at, wherever the lock is not held.
static noinline_ bool fill(loam_gc *gc, struct gc_window *w, unsigned kind, unsigned cls)
{
    for (int tries = 0;; tries++) {
        gc_lock(gc);
        if (unlikely(is_due(gc)) && tries == 0) {
            gc_unlock(gc);
            gc_collect_due(gc);
            gc_lock(gc);
        }
        bool ok = w->word != 0 || refill(gc, w, kind, cls);
        struct range shared = ok ? shared_range(gc, w) : (struct range){NULL, 0};
        gc_unlock(gc);
        if (likely(ok)) {
            if (shared.bytes != 0)
                os_touch(shared.at, shared.bytes);
            if (w->size <= GC_ZERO_EARLY)
                zero_window(w, w->word);
            return true;
        }
        if (tries == 2 || gc_collect_now(gc) < 0)
            return false;
    }
}

// ---------------------------------------------------------------- objects

static always_inline_ void *pop(struct gc_window *w)
{
    u64 word = w->word;
    char *p = w->base + (size_t)__builtin_ctzll(word) * w->size;
    // From here on `p` is a value of its own, which no compiler computes again from the word.
    __asm__ volatile("" : "+r"(p) : : "memory");
    *(volatile u64 *)&w->word = word & (word - 1);
    return p;
}

static void *small(loam_gc *gc, unsigned kind, unsigned cls)
{
    struct gc_window *w = gc_cache_window(gc, kind, cls);
    if (unlikely(w == NULL))
        return no_memory(ENOMEM);
    if (unlikely(w->word == 0) && !fill(gc, w, kind, cls))
        return no_memory(ENOMEM);
    void *p = pop(w);
    if (w->size > GC_ZERO_EARLY)
        memset(p, 0, w->size);
    return p;
}

static void *large(loam_gc *gc, unsigned kind, size_t size, size_t align)
{
    if (size > PTRDIFF_MAX - 2 * HUGE_SIZE)
        return no_memory(ENOMEM);
    gc_lock(gc);
    // What is large counts at once, lest a few of them fill the memory before a collection is due.
    bool due = is_due(gc) || gc->allocated + size > gc->budget + gc->stats.live_bytes;
    gc_unlock(gc);
    if (due)
        gc_collect_due(gc);
    for (int tries = 0;; tries++) {
        gc_lock(gc);
        u32 slab = gc_slab_large(gc, kind, size, align);
        void *p = slab != 0 ? (void *)(uintptr_t)gc->blocks.span[slab].start : NULL;
        gc->allocated += slab != 0 ? gc->blocks.span[slab].size : 0;
        __asm__ volatile("" : "+r"(p) : : "memory"); // as in pop
        gc_unlock(gc);
        if (p != NULL)
            return p;
        if (tries == 2 || gc_collect_now(gc) < 0)
            return no_memory(ENOMEM);
    }
}

// A class whose objects are all aligned: slabs begin at pages.
static unsigned class_aligned(size_t size, size_t align)
{
    unsigned cls = class_of(round_up(size_max(size, 1), align));
    while (class_info[cls].size % align != 0)
        cls++;
    return cls;
}

static void *aligned(loam_gc *gc, unsigned kind, size_t size, size_t align)
{
    if (align > PAGE_SIZE)
        return no_memory(EINVAL);
    if (size > PTRDIFF_MAX)
        return no_memory(ENOMEM);
    if (round_up(size_max(size, 1), align) <= CLASS_SIZE_MAX)
        return small(gc, kind, class_aligned(size, align));
    return large(gc, kind, size, align);
}

void *loam_gc_alloc(loam_gc *gc, size_t size)
{
    if (likely(size <= CLASS_SIZE_MAX))
        return small(gc, GC_SCAN, class_of(size));
    return large(gc, GC_SCAN, size, 0);
}

void *loam_gc_alloc_leaf(loam_gc *gc, size_t size)
{
    if (likely(size <= CLASS_SIZE_MAX))
        return small(gc, GC_LEAF, class_of(size));
    return large(gc, GC_LEAF, size, 0);
}

void *loam_gc_alloc_layout(loam_gc *gc, loam_layout layout)
{
    if (!loam_layout_valid(layout))
        return no_memory(EINVAL);
    return aligned(gc, GC_SCAN, layout.size, layout.align);
}

// ---------------------------------------------------------------- types

static int shape_from(size_t size, const size_t *offsets, size_t count, u64 *ret_shape)
{
    u64 shape = 0;
    if (size == 0 || size % 8 != 0 || size > 512 || (offsets == NULL && count != 0))
        return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        if (offsets[i] % 8 != 0 || offsets[i] >= size)
            return -EINVAL;
        shape |= (u64)1 << (offsets[i] / 8);
    }
    *ret_shape = shape;
    return 0;
}

int loam_gc_type_add(loam_gc *gc, size_t size, const size_t *offsets, size_t count,
                     loam_gc_type *ret)
{
    u64 shape;
    int e = shape_from(size, offsets, count, &shape);
    if (e < 0)
        return e;
    e = -ENOSPC;
    gc_lock(gc);
    for (unsigned i = GC_LEAF + 1; i < GC_KINDS && e < 0; i++) {
        struct gc_type *t = &gc->type[i];
        if (t->words == 0)
            *t = (struct gc_type){shape, (u32)(size / 8)};
        if (t->shape == shape && t->words == size / 8) {
            ret->number = i;
            e = 0;
        }
    }
    gc_unlock(gc);
    return e;
}

void *loam_gc_alloc_typed(loam_gc *gc, loam_gc_type type, size_t count)
{
    size_t size;
    if (type.number <= GC_LEAF || type.number >= GC_KINDS || gc->type[type.number].words == 0)
        return no_memory(EINVAL);
    if (__builtin_mul_overflow(gc->type[type.number].words * 8ul, count, &size) ||
        size > PTRDIFF_MAX)
        return no_memory(ENOMEM);
    if (likely(size <= CLASS_SIZE_MAX))
        return small(gc, type.number, class_of(size));
    return large(gc, type.number, size, 0);
}
