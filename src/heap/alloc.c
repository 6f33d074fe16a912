// alloc.c: the slow halves of malloc and free, and everything that is not fast: alignment, zeroed
// memory, realloc, questions about a pointer.
#include "heap/fast.h"

#include <errno.h>
#include <string.h>

#define ALIGN_MIN 16

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

// ---------------------------------------------------------------- allocating

static void *class_alloc(struct heap *h, unsigned cls, bool zero, size_t size)
{
    struct window *w = &h->window[cls];
    void *p = w->word != 0 ? window_pop(w) : heap_refill(h, cls);
    if (zero && p != NULL && !h->cls[cls].zero)
        memset(p, 0, size);
    return p;
}

// A class whose blocks are all aligned to `align`, which is at most a page: slabs start at pages,
// so block i, at i * size, is aligned if size is. Powers of two exist, so the search ends.
static unsigned class_aligned(size_t size, size_t align)
{
    unsigned cls = class_of(round_up(size_max(size, 1), align));
    while (class_info[cls].size % align != 0)
        cls++;
    return cls;
}

static void *small_alloc(size_t size, size_t align, bool zero)
{
    unsigned cls = align <= ALIGN_MIN ? class_of(size) : class_aligned(size, align);
    struct heap *h = heap_enter();
    if (h == NULL)
        return NULL;
    bool sample = h->window[cls].word == 0 && sample_due(h, cls);
    void *p = sample ? NULL : class_alloc(h, cls, zero, size);
    heap_leave(h);
    return sample ? sample_alloc(cls, size, align, zero) : p;
}

static void *whole_alloc(size_t size, size_t align, bool zero)
{
    void *p = large_alloc(size, align, zero);
    if (arena_sampled() && p != NULL)
        sample_large(p, size);
    return p;
}

// As heap_malloc does: most calls end here. The fast pointer may stand on an empty heap.
static always_inline_ void *quick_alloc(size_t size, bool zero)
{
    struct heap *h = heap_mine;
    if (unlikely(h == NULL || size - 1 >= CLASS_SMALL_MAX || h->busy != 0))
        return NULL;
    busy_begin(h);
    size_t at = class_window[(size - 1) >> 4];
    struct window *w = (struct window *)((char *)h->window + at);
    void *p = likely(w->word != 0) ? window_pop(w) : NULL;
    if (unlikely(zero) && p != NULL && !h->cls[w - h->window].zero)
        memset(p, 0, size);
    busy_end(h);
    return p;
}

void *heap_alloc(size_t size, size_t align, bool zero)
{
    if (likely(align == 0)) {
        void *p = quick_alloc(size, zero);
        if (likely(p != NULL))
            return p;
    }
    if (unlikely(size > PTRDIFF_MAX || align > PTRDIFF_MAX / 2))
        return no_memory();
    int saved = errno;
    bool small = size <= CLASS_SIZE_MAX && align <= PAGE_SIZE;
    if (small && align > ALIGN_MIN)
        small = round_up(size_max(size, 1), align) <= CLASS_SIZE_MAX;
    void *p = small ? small_alloc(size, align, zero) : whole_alloc(size, align, zero);
    if (p == NULL)
        p = far_alloc(size, align); // the last resort: a mapping of its own; always zeroed
    errno = saved;
    return p != NULL ? p : no_memory();
}

// calloc, and blocks over 1 KiB: nearly the fast path. NULL: go the long way.
static inline void *middle_alloc(size_t size, bool zero)
{
    struct heap *h = heap_fast;
    if (size > CLASS_SIZE_MAX || h->busy)
        return NULL;
    unsigned cls = class_of(size);
    void *p = NULL;
    busy_begin(h);
    if (h->window[cls].word != 0) {
        p = window_pop(&h->window[cls]);
        zero = zero && !h->cls[cls].zero;
    }
    busy_end(h);
    if (zero && p != NULL)
        memset(p, 0, size);
    return p;
}

noinline_ void *heap_malloc_slow(size_t size, bool zero, int kind)
{
    void *p = middle_alloc(size, zero);
    if (likely(p != NULL))
        return p;
    if (the.ops != NULL)
        return the.ops->alloc(size, 0, zero, kind);
    return heap_alloc(size, 0, zero);
}

noinline_ void *heap_malloc_refill(struct heap *h, struct window *w, size_t size, int kind)
{
    unsigned cls = (unsigned)(w - h->window);
    bool sample = sample_due(h, cls);
    void *p = sample ? NULL : heap_refill(h, cls);
    busy_end(h);
    if (unlikely(sample))
        p = sample_alloc(cls, size, 0, false);
    return likely(p != NULL) ? p : heap_malloc_slow(size, false, kind);
}

// ---------------------------------------------------------------- freeing

// A block that is not out is freed by its slab's owner: it was freed before, or p lies behind the
// slab's last block, where the sentinel stands (S3).
cold_ void heap_free_odd(void *p)
{
    struct heap_block b;
    die(heap_find(p, &b) ? "free: block was already freed" : "free: not the start of a block", p);
}

noinline_ void heap_free_edge(struct heap *h, struct side *e)
{
    slab_edge(h, (u32)(e - arena.side));
    busy_end(h);
}

void heap_free_owned(struct heap *h, struct desc *d, u32 slab, u32 index, void *p)
{
    switch (heap_free_local(h, d, &arena.side[slab], index, index >> 6)) {
    case FREE_DONE:
        break;
    case FREE_EDGE:
        slab_edge(h, slab);
        break;
    case FREE_ODD:
        heap_free_odd(p);
    }
}

// The block number of p in its slab; dies when p is not the start of a block.
static u32 index_of(const struct desc *d, u32 slab, const void *p, const char *what)
{
    size_t offset = (size_t)((const char *)p - page_addr(slab));
    const struct class_info *c = &class_info[d->cls];
    u32 i = block_index(c->magic, c->size, offset);
    if (unlikely((size_t)i * c->size != offset || i >= d->blocks))
        die(what, p);
    return i;
}

static void slab_free(u32 slab, void *p)
{
    struct desc *d = &arena.desc[slab];
    u32 i = index_of(d, slab, p, "free: not the start of a block");
    struct heap *h = heap_enter();
    if (h != NULL && atomic_load_explicit(&d->owner, memory_order_relaxed) == h)
        heap_free_owned(h, d, slab, i, p);
    else
        remote_free(h, slab, i, p);
    if (h != NULL)
        heap_leave(h);
}

static void whole_free(u32 span, void *p)
{
    if (arena_sampled())
        sample_freed(span, p, large_usable(&arena.desc[span]));
    large_free(span, p);
}

void heap_free(void *p)
{
    struct heap *h = heap_mine;
    if (likely(h != NULL) && likely(heap_free_on(h, p)))
        return;
    if (p == NULL)
        return;
    int saved = errno;
    if (in_arena(p)) {
        u32 span = span_of(page_of(p));
        if (unlikely(span == 0))
            die("free: block was already freed, or never was one", p);
        if (arena.desc[span].kind == PAGE_SLAB)
            slab_free(span, p);
        else
            whole_free(span, p);
    } else if (!far_free(p)) {
        die("free: not a block of this heap", p);
    }
    errno = saved;
}

noinline_ void heap_free_slow(void *p, int kind)
{
    if (p == NULL)
        return;
    if (the.ops != NULL)
        the.ops->free(p, kind);
    else
        heap_free(p);
}

// ---------------------------------------------------------------- questions

bool heap_find(const void *p, struct heap_block *ret)
{
    if (!in_arena(p)) {
        struct far_block *f = far_find(p);
        if (f == NULL)
            return false;
        *ret =
            (struct heap_block){.start = (void *)(uintptr_t)f->addr, .size = f->usable, .far = f};
        return true;
    }
    u32 span = span_of(page_of(p));
    if (span == 0)
        return false;
    struct desc *d = &arena.desc[span];
    *ret = (struct heap_block){
        .start = page_addr(span), .size = large_usable(d), .desc = d, .page = span};
    if (d->kind == PAGE_SLAB) {
        size_t offset = (size_t)((const char *)p - page_addr(span));
        const struct class_info *c = &class_info[d->cls];
        ret->index = block_index(c->magic, c->size, offset);
        ret->size = c->size;
        ret->start = page_addr(span) + (size_t)ret->index * c->size;
        return ret->index < d->blocks;
    }
    return true;
}

// True when block i of h's slab is free.
static bool is_free(const struct heap *h, const struct desc *d, u32 slab, u32 i)
{
    const u64 *word = &arena.side[slab].free[i >> 6];
    const struct window *w = &h->window[d->cls];
    return (*word | (w->free == word ? w->word : 0)) >> (i & 63) & 1;
}

// The same, when it can be known: a stranger's slab cannot be asked.
static bool known_free(const struct desc *d, u32 slab, u32 i)
{
    struct heap *h = heap_mine;
    if (h == NULL || h->busy)
        return false;
    busy_begin(h);
    bool known =
        atomic_load_explicit(&d->owner, memory_order_relaxed) == h && is_free(h, d, slab, i);
    busy_end(h);
    return known;
}

static size_t live_size(const void *p, const char *what, struct heap_block *ret)
{
    if (!heap_find(p, ret) || ret->start != p)
        die(what, p);
    if (ret->desc != NULL && ret->desc->kind == PAGE_SLAB &&
        known_free(ret->desc, ret->page, ret->index))
        die(what, p);
    return ret->size;
}

size_t heap_usable(const void *p)
{
    struct heap_block b;
    return live_size(p, "malloc_usable_size: not a live block", &b);
}

void *heap_realloc(void *p, size_t size, size_t *copied)
{
    if (unlikely(size > PTRDIFF_MAX))
        return no_memory();
    struct heap_block b;
    size_t old = live_size(p, "realloc: not a live block", &b);
    // In place while at least half of the block stays in use.
    if (size <= old && (size >= old / 2 || old <= 64) && old <= CLASS_SIZE_MAX)
        return p;
    if (b.desc != NULL && b.desc->kind == PAGE_LARGE && b.desc->cls == 0 && size > CLASS_SIZE_MAX) {
        void *q = large_resize(b.page, p, size);
        if (q != NULL) {
            if (arena_sampled()) {
                sample_freed(page_of(q), q, old);
                sample_large(q, size);
            }
            return q;
        }
    }
    void *q = heap_alloc(size, 0, false);
    if (q == NULL)
        return size <= old ? p : NULL; // a smaller block is in the larger one
    memcpy(q, p, size_min(old, size));
    if (copied != NULL)
        *copied += size_min(old, size);
    heap_free(p);
    return q;
}

// ---------------------------------------------------------------- for the layers above

void heap_set_ops(const struct heap_ops *ops)
{
    the.ops = ops;
    heap_fast = &heap_none;
}

void *heap_meta(size_t size)
{
    size = round_up(size, 64);
    if (size >= 256 * KiB)
        return os_map(round_up(size, OS_PAGE));
    if (!lock_take(&the.meta_lock))
        return NULL;
    if ((size_t)(the.meta_end - the.meta) < size) {
        char *step = os_map(256 * KiB);
        if (step == NULL) {
            lock_give(&the.meta_lock);
            return NULL;
        }
        the.meta = step;
        the.meta_end = step + 256 * KiB;
    }
    void *p = the.meta;
    the.meta += size;
    lock_give(&the.meta_lock);
    return p;
}

void heap_forget(void *p)
{
    if (the.ops != NULL && the.ops->forget != NULL)
        the.ops->forget(p);
}
