// refill.c: a window has run dry; find the next word of free blocks.
//
// In this order: the next word of the current slab, what strangers freed in it, a partly free slab
// of this heap (the head of the list, no search), the pool, and last a fresh slab.
#include "heap/fast.h"

#include <errno.h>

// Blocks still in the window become ordinary free ones.
void window_close(struct heap *h, unsigned cls)
{
    struct window *w = &h->window[cls];
    if (w->free == NULL)
        return;
    *w->free |= w->word;
    struct side *e = &arena.side[h->cls[cls].current];
    e->left = (int16_t)(e->left - (int)bits_in(w->word));
    w->word = 0;
    w->free = NULL;
    h->cls[cls].due = 0; // Z1
}

// Free blocks of word k of a slab, without the sentinel (S3).
static inline u64 free_word(const struct side *e, u32 blocks, u32 k)
{
    u64 x = e->free[k];
    return blocks >> 6 > k ? x : x & (((u64)1 << (blocks & 63)) - 1);
}

// The free blocks of the first word of [*k, words) that has any; 0: none has.
static inline u64 find_word(const struct side *e, u32 blocks, u32 *k)
{
    u32 i = *k;
    while (i < blocks >> 6 && e->free[i] == 0)
        i++;
    *k = i;
    return i * 64 < blocks ? free_word(e, blocks, i) : 0;
}

// A fresh page that is read before it is written costs two faults, and the second one interrupts
// every processor that runs the process: the kernel had mapped its one page of zeros for the reader
// and must tell them all that it is another now. So calloc clears blocks up to this size even where
// they are zero already; the program is about to write to such a page anyway. (A program of four
// threads that looks at what calloc gave it spent half of its time on these faults.)
#define CLEAR_MAX 4096

// Of the free blocks x of word k, those to hand out now. Blocks that were never handed out may have
// no memory yet, so they come in steps, when fewer than half of those before them in the word are
// free: few live blocks go round in few OS pages. A step is an OS page, or half of what the slab
// has handed out, so that a program with many blocks is soon through.
static u64 in_steps(const struct side *e, u32 size, u32 k, u64 x)
{
    u32 touched = e->fresh > k * 64 ? e->fresh - k * 64 : 0; // of this word
    if (size <= OS_PAGE / 64 || touched >= 64)
        return x;
    u64 old = x & (((u64)1 << touched) - 1);
    if (bits_in(old) * 2 >= touched && touched > 0)
        return old;
    u32 end = touched + (u32)size_max(OS_PAGE / size, e->fresh / 2 + 1);
    u64 cut = end >= 64 ? x : x & (((u64)1 << end) - 1);
    return cut != 0 ? cut : x;
}

// Make word k, whose free blocks are x, the window, and take its first block.
static always_inline_ void *open_window(struct heap *h, unsigned cls, u32 slab, u32 k, u64 x)
{
    struct side *e = &arena.side[slab];
    struct window *w = &h->window[cls];
    struct class_state *c = &h->cls[cls];
    assert(x != 0); // S2: where blocks are free, a word has them
    c->at = (u16)k;
    x = in_steps(e, (u32)w->size, k, x);
    if (arena_sampled())
        x = (x & -x) | sample_cut(h, cls, x & (x - 1));
    u32 first = k * 64 + (u32)__builtin_ctzll(x);
    u32 end = k * 64 + 64 - (u32)__builtin_clzll(x);
    e->left = (int16_t)(e->left + (int)bits_in(x));
    c->zero = w->size > CLEAR_MAX && e->zeroed && first >= e->fresh;
    if (e->fresh < end)
        e->fresh = (u16)end;
    w->base = page_addr(slab) + (size_t)k * 64 * w->size;
    e->free[k] &= ~x;
    w->free = &e->free[k];
    w->word = x & (x - 1);
    return page_addr(slab) + (size_t)first * w->size;
}

// Is there more to take from word k, whose free blocks are x? When it is half free again, or has
// blocks that were never handed out.
static bool goes_on(const struct side *e, u32 blocks, u32 k, u64 x)
{
    u32 end = (u32)size_min(blocks, k * 64 + 64);
    return x != 0 && (e->fresh < end || bits_in(x) * 2 >= end - k * 64);
}

// The end of a pass through a slab.
static noinline_ bool worth_a_pass(struct heap *h, u32 slab)
{
    u64 word = atomic_load_explicit(&arena.state[slab].word, memory_order_relaxed);
    if (word & STATE_DIRTY)
        remote_collect(h, slab);
    u32 blocks = arena.desc[slab].blocks;
    u32 free = blocks - side_used(&arena.side[slab]);
    return free > 0 && free >= blocks / 8;
}

// The next block of the current slab; NULL when it is not worth to go on with it. A pass visits
// its words in order of address; what is freed behind it waits for the next pass, which begins
// only if an eighth of the blocks are free by then. Else malloc would go from word to word for
// single blocks. A word that is half free again is taken again: small programs stay in few lines.
static void *from_current(struct heap *h, unsigned cls)
{
    u32 slab = h->cls[cls].current;
    u32 at = h->cls[cls].at;
    const struct side *e = &arena.side[slab];
    u32 blocks = arena.desc[slab].blocks;
    u32 k = at == AT_START ? 0 : at;
    u64 x = free_word(e, blocks, k);
    if (at != AT_START && !goes_on(e, blocks, k, x))
        x = 0;
    if (x == 0) {
        k++;
        x = find_word(e, blocks, &k);
    }
    if (unlikely(x == 0)) {
        if (!worth_a_pass(h, slab))
            return NULL;
        k = 0;
        x = find_word(e, blocks, &k);
    }
    return open_window(h, cls, slab, k, x);
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

// No slab with free blocks is at hand.
static bool is_dry(const struct class_state *c)
{
    return (c->list[SLAB_PARTIAL] | c->list[SLAB_SPARSE] | c->list[SLAB_IDLE] |
            c->list[SLAB_HOLED]) == 0;
}

// Make some slab with free blocks current. False on ENOMEM.
static bool next_slab(struct heap *h, unsigned cls)
{
    struct class_state *c = &h->cls[cls];
    fork_check(h);
    if (is_dry(c) || remote_piled(h))
        drain_all(h);
    if (is_dry(c))
        slab_from_pool(h, cls);
    // Those that need no page fault first.
    for (int i = SLAB_PARTIAL; i <= SLAB_HOLED; i++)
        for (u32 slab = c->list[i]; slab != 0; slab = arena.side[slab].next)
            if (slab_make_current(h, slab))
                return true;
    u32 slab = slab_new(h, cls);
    return slab != 0 && slab_make_current(h, slab);
}

void *heap_refill(struct heap *h, unsigned cls)
{
    struct class_state *c = &h->cls[cls];
    h->window[cls].free = NULL;
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
