// refill.c: a window has run dry; find the next word of free blocks.
//
// In this order: the next word of the current slab, what strangers freed in it, a partly free slab
// of this heap (the head of the list, no search), the pool, and last a fresh slab.
#include "heap/fast.h"

#include <errno.h>

// The window's blocks are all out: they leave the free bitmap (W2).
static void leave_window(struct heap *h, unsigned cls)
{
    struct window *w = &h->window[cls];
    struct class_state *c = &h->cls[cls];
    if (w->free == NULL)
        return;
    *w->free &= ~(c->taken & ~w->word);
    c->taken = 0;
    w->word = 0;
    w->free = NULL;
}

// As above, and blocks still in the window become ordinary free ones.
void window_close(struct heap *h, unsigned cls)
{
    struct window *w = &h->window[cls];
    if (w->free == NULL)
        return;
    struct side *e = &arena.side[h->cls[cls].current];
    e->used = (u16)(e->used - __builtin_popcountll(w->word));
    leave_window(h, cls);
}

// Free blocks of word k of a slab, without the sentinel (S3).
static inline u64 free_word(const struct side *e, u32 blocks, u32 k)
{
    u32 left = blocks - k * 64;
    return left >= 64 ? e->free[k] : e->free[k] & (((u64)1 << left) - 1);
}

// Make word k, whose free blocks are x, the window, and take its first block.
static void *open_window(struct heap *h, unsigned cls, u32 slab, u32 k, u64 x)
{
    struct side *e = &arena.side[slab];
    struct window *w = &h->window[cls];
    struct class_state *c = &h->cls[cls];
    u32 first = k * 64 + (u32)__builtin_ctzll(x);
    u32 end = k * 64 + 64 - (u32)__builtin_clzll(x);
    e->used = (u16)(e->used + __builtin_popcountll(x));
    c->zero = e->zeroed && first >= e->fresh;
    if (e->fresh < end)
        e->fresh = (u16)end;
    c->at = (u16)end;
    c->taken = x;
    w->base = page_addr(slab) + (size_t)k * 64 * w->size;
    w->free = &e->free[k];
    w->word = x & (x - 1);
    return page_addr(slab) + (size_t)first * w->size;
}

// The next word with free blocks, going round from where the last one ended: a slab's blocks are
// handed out in order of address, and just-freed ones rest for a round.
static void *next_word(struct heap *h, unsigned cls, u32 slab)
{
    const struct side *e = &arena.side[slab];
    u32 blocks = arena.desc[slab].blocks;
    u32 words = (blocks + 63) / 64;
    u32 at = h->cls[cls].at;
    u32 k = at / 64;
    if (k < words) {
        u64 x = free_word(e, blocks, k) & ~(u64)0 << (at & 63);
        if (x != 0)
            return open_window(h, cls, slab, k, x);
    }
    for (u32 n = 0; n < words; n++) {
        k = k + 1 < words ? k + 1 : 0;
        u64 x = free_word(e, blocks, k);
        if (x != 0)
            return open_window(h, cls, slab, k, x);
    }
    return NULL;
}

static void *from_current(struct heap *h, unsigned cls)
{
    u32 slab = h->cls[cls].current;
    void *p = next_word(h, cls, slab);
    if (p != NULL)
        return p;
    u64 word = atomic_load_explicit(&arena.state[slab].word, memory_order_relaxed);
    if (!(word & STATE_DIRTY))
        return NULL;
    remote_collect(h, slab);
    return next_word(h, cls, slab);
}

// The heaps of our signal handlers have dirty lists too, and may not run again for long.
static void drain_all(struct heap *h)
{
    if (atomic_load_explicit(&h->dirty, memory_order_relaxed) != 0)
        remote_drain(h);
    for (struct heap *s = h->second; s != NULL && !s->busy; s = s->second)
        if (atomic_load_explicit(&s->dirty, memory_order_relaxed) != 0) {
            busy_begin(s);
            remote_drain(s);
            busy_end(s);
        }
}

// Make some slab with free blocks current. False on ENOMEM.
static bool next_slab(struct heap *h, unsigned cls)
{
    struct class_state *c = &h->cls[cls];
    if (c->partial == 0 || remote_idle(h))
        drain_all(h);
    if (c->partial == 0)
        slab_from_pool(h, cls);
    for (u32 slab = c->partial; slab != 0; slab = arena.side[slab].next) {
        if (slab_make_current(h, slab)) {
            slab_unlink(&c->partial, slab);
            return true;
        }
    }
    u32 slab = slab_new(h, cls);
    return slab != 0 && slab_make_current(h, slab);
}

void *heap_refill(struct heap *h, unsigned cls)
{
    struct class_state *c = &h->cls[cls];
    leave_window(h, cls);
    for (;;) {
        if (c->current != 0) {
            void *p = from_current(h, cls);
            if (p != NULL)
                return p;
            slab_park(h, c->current);
        }
        if (!next_slab(h, cls)) {
            errno = ENOMEM;
            return NULL;
        }
    }
}
