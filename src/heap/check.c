// check.c: is everything true that the headers say? For tests, and for a debugger's `call`.
//
// The tables are walked once by page and once by list, and both views must agree. Nothing is
// repaired. Nobody may be inside the heap meanwhile: the caller has joined its other threads.
#include "heap/pages.h"

struct check {
    const char *broken;        // the first invariant found broken
    size_t live, dirty, idle;  // pages
    u32 owned, pooled, marked; // slabs: owned by some heap, POOLED, DIRTY
};

static bool want(struct check *c, bool x, const char *what)
{
    if (!x && c->broken == NULL)
        c->broken = what;
    return x;
}

static bool page_bit(const u64 *map, u32 page)
{
    return map[page >> 6] >> (page & 63) & 1;
}

static u32 ones(u64 x)
{
    return bits_in(x);
}

static u64 valid_bits(const struct desc *d, u32 k)
{
    u32 left = d->blocks - k * 64;
    return left >= 64 ? ~(u64)0 : ((u64)1 << left) - 1;
}

// ---------------------------------------------------------------- by page

static void check_span(struct check *c, u32 span)
{
    u32 pages_n = arena.desc[span].pages;
    c->live += pages_n;
    want(c, pages_n > 0 && span + pages_n <= pages.top, "H1: a span ends behind the last page");
    for (u32 page = span; page < span + pages_n; page++) {
        const struct desc *d = &arena.desc[page];
        want(c, !page_bit(pages.free, page), "P1: a page of a live span is free");
        if (page == span)
            continue;
        want(c, d->kind == PAGE_TAIL || d->kind == PAGE_NONE, "H1: a span begins inside another");
        want(c, span_of(page) == span, "H2: a page does not lead to its span");
        bool same = arena.desc[span].kind == PAGE_SLAB && desc_size(d) <= SLAB_EXACT_MAX;
        want(c, atomic_load(&d->owner) == (same ? atomic_load(&arena.desc[span].owner) : NULL),
             "H3: a later page with the wrong owner");
    }
}

// What the window of the slab's owner holds of word k.
static u64 window_bits(const struct heap *h, u32 slab, u32 k)
{
    if (h == NULL || h->window[arena.desc[slab].cls].free != &arena.side[slab].free[k])
        return 0;
    return h->window[arena.desc[slab].cls].word;
}

// The bitmaps of a slab: S1, S2, S3, W1, and the watermark.
static void check_bits(struct check *c, const struct heap *h, u32 slab)
{
    const struct desc *d = &arena.desc[slab];
    const struct side *e = &arena.side[slab];
    u32 used = d->blocks;
    bool strange = false;
    for (u32 k = 0; k * 64 < d->blocks; k++) {
        u64 valid = valid_bits(d, k), word = window_bits(h, slab, k);
        u64 bits = atomic_load(&arena.remote[slab].bits[k]);
        used -= ones(e->free[k] & valid);
        want(c, (word & ~valid) == 0 && (word & e->free[k]) == 0,
             "W1: a window block's bit is set");
        want(c, (bits & ~valid) == 0, "S1: a stranger freed a block that does not exist");
        want(c, (bits & (e->free[k] | word)) == 0, "S1: a stranger freed a free block");
        strange |= bits != 0;
        u64 old = k * 64 >= e->fresh        ? 0
                  : e->fresh - k * 64 >= 64 ? ~(u64)0
                                            : ((u64)1 << (e->fresh - k * 64)) - 1;
        want(c, (~e->free[k] & valid & ~old) == 0, "a block above the watermark is in use");
    }
    u64 last = e->free[d->blocks >> 6];
    want(c, last >> (d->blocks & 63) == 1, "S3: the bit behind the last block");
    want(c, side_used(e) == used, "S2: used is not what the bitmaps say");
    u64 state = atomic_load(&arena.state[slab].word);
    want(c, !strange || (state & (STATE_DIRTY | STATE_POOLED)), "R2: a stranger's free is lost");
}

static void check_where(struct check *c, u32 slab, u64 state)
{
    const struct side *e = &arena.side[slab];
    bool current = e->where == SLAB_CURRENT;
    want(c, ((state & STATE_CURRENT) != 0) == (current && state_id(state) != 0),
         "R5: CURRENT is not where the window is");
    if (state_id(state) == 0 && !(state & STATE_POOLED))
        want(c, side_used(e) > arena.desc[slab].blocks / 2, "a parked slab is half free");
    else if (e->where == SLAB_ASLEEP || e->where == SLAB_KEPT)
        want(c, e->left > 0, "a slab sleeps that should have woken");
}

// What was given back from inside a slab holds no block that is out.
static void check_holes(struct check *c, u32 slab)
{
    const struct desc *d = &arena.desc[slab];
    const struct side *e = &arena.side[slab];
    for (u32 i = 0; i < d->blocks && e->holes != 0; i++) {
        size_t first = (size_t)i * desc_size(d) / the.os_page;
        size_t last = ((size_t)(i + 1) * desc_size(d) - 1) / the.os_page;
        u64 touched = (~(u64)0 >> (63 - (last - first))) << first;
        want(c, (e->free[i >> 6] >> (i & 63) & 1) || (e->holes & touched) == 0,
             "a hole under a block that is out");
    }
}

static void check_slab(struct check *c, u32 slab)
{
    const struct desc *d = &arena.desc[slab];
    const struct class_info *info = &class_info[d->cls];
    want(c,
         d->cls < CLASS_COUNT && d->side == &arena.side[slab] && d->side->magic == info->magic &&
             d->blocks == info->blocks && d->pages == info->pages,
         "a slab's descriptor is not its class's");
    u64 state = atomic_load(&arena.state[slab].word);
    u32 id = state_id(state);
    if (!want(c, id <= loam_heap_root.heaps_count, "R1: no such heap"))
        return;
    struct heap *h = id != 0 ? the.heaps[id] : NULL;
    want(c, atomic_load(&d->owner) == h, "R1: owner and state do not agree");
    want(c, !(state & STATE_GONE), "a live slab's state says that it is gone");
    want(c, !(state & STATE_PURGING), "R6: PURGING, and nobody purges");
    want(c, !(state & STATE_DIRTY) || id != 0, "R2: dirty, and nobody's");
    want(c, !(state & STATE_POOLED) || id == 0, "R3: pooled, and somebody's");
    c->owned += id != 0;
    c->pooled += (state & STATE_POOLED) != 0;
    c->marked += (state & STATE_DIRTY) != 0;
    check_bits(c, h, slab);
    check_where(c, slab, state);
    check_holes(c, slab);
    if (arena.side[slab].where == SLAB_IDLE && arena.side[slab].holes == 0)
        c->idle += d->pages;
    want(c, arena.side[slab].where != SLAB_IDLE || side_used(&arena.side[slab]) == 0,
         "an idle slab is in use");
}

static void check_free_page(struct check *c, u32 page)
{
    bool free = page_bit(pages.free, page), dirty = page_bit(pages.dirty, page);
    c->dirty += dirty;
    want(c, free || !dirty, "P1: a page is dirty and not free");
    want(c, span_of(page) == 0, "H2: a page outside of all spans leads to one");
    want(c, atomic_load(&arena.desc[page].owner) == NULL,
         "H3: a page outside of all spans is owned");
    want(c, !free || page >= pages.low_free, "P3: low_free");
    want(c, !dirty || (page >= pages.low_dirty && page < pages.high_dirty), "P3: low_dirty");
}

static void check_pages(struct check *c)
{
    for (u32 page = 1; page < pages.top && c->broken == NULL;) {
        const struct desc *d = &arena.desc[page];
        if (d->kind != PAGE_SLAB && d->kind != PAGE_LARGE) {
            check_free_page(c, page++);
            continue;
        }
        check_span(c, page);
        if (d->kind == PAGE_SLAB)
            check_slab(c, page);
        page += d->pages;
    }
    want(c, arena.bytes >= pages.mapped << PAGE_SHIFT, "A2: arena.bytes");
    want(c, pages.top <= pages.mapped || pages.mapped == 0, "A2: top");
    want(c, c->dirty == pages.dirty_count, "P2: dirty_count");
    // More: spans that were on their way to a thread when a child was forked.
    want(c, c->live <= pages.live, "P2: live");
    want(c, c->idle <= pages_idle_count(), "P7: idle");
}

// ---------------------------------------------------------------- by list

// Length of a list whose slabs all are of class `cls`, in state `where` (or `or`).
static u32 check_list(struct check *c, const struct heap *h, u32 first, unsigned cls,
                      enum slab_where where, enum slab_where or)
{
    u32 n = 0, prev = 0;
    for (u32 slab = first; slab != 0 && c->broken == NULL;
         prev = slab, slab = arena.side[slab].next) {
        const struct side *e = &arena.side[slab];
        const struct desc *d = &arena.desc[slab];
        want(c, d->kind == PAGE_SLAB && d->cls == cls, "a list holds what is no slab of its class");
        want(c, atomic_load(&d->owner) == h, "a heap's list holds a slab of another");
        want(c, e->where == where || e->where == or, "a slab is in the wrong list");
        want(c, e->prev == prev, "a list's backward link");
        n++;
    }
    return n;
}

static u32 check_class(struct check *c, const struct heap *h, unsigned cls)
{
    const struct class_state *s = &h->cls[cls];
    const struct window *w = &h->window[cls];
    u32 n = check_list(c, h, s->list[SLAB_ASLEEP], cls, SLAB_ASLEEP, SLAB_KEPT);
    for (int i = SLAB_PARTIAL; i < SLAB_LISTS; i++)
        n += check_list(c, h, s->list[i], cls, (enum slab_where)i, (enum slab_where)i);
    u32 kept = 0;
    for (u32 slab = s->list[SLAB_ASLEEP]; slab != 0; slab = arena.side[slab].next)
        kept += arena.side[slab].where == SLAB_KEPT;
    want(c, kept == s->full, "class_state.full is not the number of kept slabs");
    if (s->current != 0) {
        want(c, arena.side[s->current].where == SLAB_CURRENT, "the current slab is elsewhere");
        want(c, atomic_load(&arena.desc[s->current].owner) == h, "the current slab is not owned");
        n++;
    }
    if (w->free == NULL)
        want(c, w->word == 0, "W1: blocks in no window");
    else if (want(c, s->current != 0, "a window without a slab")) {
        const struct side *e = &arena.side[s->current];
        size_t k = (size_t)(w->free - e->free);
        want(c, k < SLAB_WORDS && w->base == page_addr(s->current) + k * 64 * w->size, "W3");
    }
    return n;
}

static u32 check_dirty(struct check *c, const struct heap *h)
{
    u32 n = 0;
    for (u32 slab = atomic_load(&h->dirty); slab != 0 && n <= c->marked;
         slab = atomic_load(&arena.state[slab].next)) {
        u64 state = atomic_load(&arena.state[slab].word);
        want(c, (state & STATE_DIRTY) && state_id(state) == h->id,
             "R2: a dirty list holds a slab that is not dirty, or not its heap's");
        n++;
    }
    return n;
}

static void check_lists(struct check *c)
{
    u32 owned = 0, marked = 0, pooled = 0;
    for (u32 id = 1; id <= loam_heap_root.heaps_count; id++) {
        const struct heap *h = the.heaps[id];
        want(c, h->id == id, "a heap's number");
        for (unsigned cls = 0; cls < CLASS_COUNT; cls++)
            owned += check_class(c, h, cls);
        marked += check_dirty(c, h);
    }
    for (unsigned cls = 0; cls < CLASS_COUNT; cls++)
        pooled += check_list(c, NULL, *pool_list(cls), cls, SLAB_POOLED, SLAB_POOLED);
    want(c, owned == c->owned, "R1: an owned slab is in no list of its owner");
    want(c, marked == c->marked, "R2: a dirty slab is in no dirty list");
    want(c, pooled == c->pooled, "R3: a pooled slab is not in its pool");
}

const char *heap_check(void)
{
    struct check c = {0};
    if (arena.base == NULL)
        return NULL;
    check_pages(&c);
    if (c.broken == NULL)
        check_lists(&c);
    return c.broken;
}
