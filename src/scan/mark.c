// mark.c: which live blocks can be reached? A worklist, no recursion, and a short queue that
// fetches a block's bytes into the cache before they are looked at.
//
// Scattered heaps miss the cache once a block, and the processor cannot guess the next address
// from the last. So blocks leave the worklist through a queue of 32: on entry their first bytes are
// prefetched, on exit, 32 blocks later, they have arrived. (Prefetching when a block is marked is
// too early: a wide block pushes hundreds, and the first lines are evicted again.)
//
// Where blocks lie in the order in which they are reached, the processor fetches them by itself and
// the queue only costs. So every thousand blocks it is decided anew, by how many of the last
// thousand lay near the one before.
//
// The inner loops work on a copy of struct mark in registers: its words are changed through
// pointers to words, so the compiler would otherwise load each of them anew for every word.
#include "scan/mark.h"

#include <errno.h>
#include <string.h>

#define QUEUE  32
#define BUFFER ((size_t)1 * MiB)
#define ROUND  1024 // blocks after which it is decided whether to use the queue
#define NEAR   512  // bytes between two blocks that are near each other

static size_t left_room(const struct blocks *b)
{
    return b->slot_room / 8;
}

static size_t work_room(const struct blocks *b)
{
    return (b->live_count + 1) * sizeof(struct work);
}

int mark_init(struct mark *m, const struct blocks *b)
{
    assert(b->target != NULL);
    struct target *t = b->target;
    *m = (struct mark){.blocks = b};
    m->left = t->map(t, left_room(b));
    m->work = t->map(t, work_room(b));
    m->buffer = t->map(t, BUFFER);
    if (m->left != NULL && m->work != NULL && m->buffer != NULL) {
        memcpy(m->left, b->live, left_room(b));
        return 0;
    }
    mark_done(m);
    return -ENOMEM;
}

void mark_done(struct mark *m)
{
    struct target *t = m->blocks != NULL ? m->blocks->target : NULL;
    if (m->left != NULL)
        t->unmap(t, m->left, left_room(m->blocks));
    if (m->work != NULL)
        t->unmap(t, m->work, work_room(m->blocks));
    if (m->buffer != NULL)
        t->unmap(t, m->buffer, BUFFER);
    *m = (struct mark){0};
}

// ---------------------------------------------------------------- marking

// What the inner loop needs of struct mark and struct blocks.
struct hot {
    const struct page *page;
    u64 *left;
    struct work *work;
    u64 base, extent;
    size_t depth;
    const struct blocks *blocks;
};

static always_inline_ struct hot hot_of(const struct mark *m)
{
    const struct blocks *b = m->blocks;
    return (struct hot){b->page, m->left, m->work, b->base, b->extent, m->depth, b};
}

static always_inline_ void push(struct hot *h, u32 span, u32 slot)
{
    assert(h->left[slot / 64] >> (slot & 63) & 1);
    assert(h->depth < h->blocks->live_count); // M1
    h->left[slot / 64] &= ~((u64)1 << (slot & 63));
    h->work[h->depth++] = (struct work){span, slot};
}

static always_inline_ void mark_in(struct hot *h, const struct page *p, u64 word)
{
    u64 in_span = word - p->start;
    if (in_span >= p->reach)
        return;
    u32 slot = p->slot + (u32)(in_span * p->magic >> 48);
    if ((h->left[slot / 64] >> (slot & 63) & 1) && blocks_holds(h->blocks, p, word, slot))
        push(h, p->span, slot);
}

static noinline_ void mark_far(struct hot *h, u64 word)
{
    mark_in(h, blocks_far(h->blocks, word), word);
}

static always_inline_ void mark_word(struct hot *h, u64 word)
{
    u64 offset = word - h->base;
    if (offset < h->extent)
        mark_in(h, &h->page[offset >> PAGE_SHIFT], word);
    else if (unlikely(word - h->blocks->far_base < h->blocks->far_end - h->blocks->far_base))
        mark_far(h, word);
}

void mark_slot(struct mark *m, u32 span, u32 slot)
{
    struct hot h = hot_of(m);
    if (!mark_test(m, slot))
        push(&h, span, slot);
    m->depth = h.depth;
}

void mark_words(struct mark *m, const u64 *words, size_t count)
{
    struct hot h = hot_of(m);
    for (size_t i = 0; i < count; i++)
        mark_word(&h, words[i]);
    m->words += count;
    m->depth = h.depth;
}

int mark_range(struct mark *m, u64 start, u64 size)
{
    u64 end = (start + size) & ~(u64)7;
    start = round_up(start, 8);
    while (start < end) {
        size_t n = size_min(BUFFER, end - start);
        memset(m->buffer, 0, n);
        int e = target_read(m->blocks->target, start, m->buffer, n);
        if (e < 0)
            return e;
        mark_words(m, (const u64 *)m->buffer, n / 8);
        start += n;
    }
    return 0;
}

// ---------------------------------------------------------------- following

static always_inline_ const char *image_of(const struct span *s, u32 slot)
{
    return s->image + (u64)(slot - s->slot) * s->size;
}

// Only the words that the span's shape names.
static noinline_ size_t mark_shaped(struct hot *h, const struct span *s, const u64 *words, size_t n)
{
    if (s->shape == 0)
        return 0;
    for (size_t i = 0; i < n; i += s->shape_words)
        for (u64 left = s->shape; left != 0; left &= left - 1) {
            size_t at = i + (unsigned)__builtin_ctzll(left);
            if (at < n)
                mark_word(h, words[at]);
        }
    return n;
}

// The words of one block. How many were looked at.
static always_inline_ size_t follow(struct hot *h, struct work w)
{
    const struct span *s = &h->blocks->span[w.span];
    const u64 *words;
    size_t n = mark_contents(s, w.slot, &words);
    if (unlikely(s->shape_words != 0))
        return mark_shaped(h, s, words, n);
    for (size_t i = 0; i < n; i++)
        mark_word(h, words[i]);
    return n;
}

static bool is_leaf(const struct span *s)
{
    return s->shape_words != 0 && s->shape == 0;
}

// Up to ROUND blocks, newest first. Number of those near the one before.
static noinline_ unsigned follow_ordered(struct mark *m)
{
    struct hot h = hot_of(m);
    const char *last = NULL;
    unsigned near = 0;
    size_t words = 0;
    for (unsigned i = 0; i < ROUND && h.depth != 0; i++) {
        struct work w = h.work[--h.depth];
        const char *at = image_of(&h.blocks->span[w.span], w.slot);
        near += (size_t)(at - last + NEAR) < 2 * NEAR;
        last = at;
        words += follow(&h, w);
    }
    m->words += words;
    m->depth = h.depth;
    return near;
}

// The same through the queue, which is empty before and afterwards.
static noinline_ unsigned follow_scattered(struct mark *m)
{
    struct hot h = hot_of(m);
    struct work queue[QUEUE];
    unsigned head = 0, count = 0, near = 0;
    const char *last = NULL;
    size_t words = 0;
    for (unsigned i = 0; h.depth != 0 || count != 0;) {
        while (count < QUEUE && h.depth != 0 && i < ROUND) {
            struct work w = h.work[--h.depth];
            const struct span *s = &h.blocks->span[w.span];
            i++;
            if (is_leaf(s))
                continue;
            const char *at = image_of(s, w.slot);
            near += (size_t)(at - last + NEAR) < 2 * NEAR;
            last = at;
            __builtin_prefetch(at);
            __builtin_prefetch(at + size_min(s->size, 64) -
                               8); // half of the small blocks are in two lines
            queue[(head + count++) % QUEUE] = w;
        }
        if (count == 0)
            break;
        words += follow(&h, queue[head]);
        head = (head + 1) % QUEUE;
        count--;
    }
    m->words += words;
    m->depth = h.depth;
    return near;
}

void mark_run(struct mark *m)
{
    bool ordered = false;
    while (m->depth != 0) {
        unsigned near = ordered ? follow_ordered(m) : follow_scattered(m);
        ordered = near > ROUND * 3 / 4;
    }
}
