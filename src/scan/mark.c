// mark.c: which live blocks can be reached? A worklist, no recursion, and a short queue that
// fetches a block's bytes into the cache before they are looked at.
//
// Scattered heaps miss the cache once a block, and the processor cannot guess the next address
// from the last. So blocks leave the worklist through a queue of 32: on entry their first bytes are
// prefetched, on exit, 32 blocks later, they have arrived. (Prefetching when a block is marked is
// too early: a wide block pushes hundreds, and the first lines are evicted again.)
#include "scan/mark.h"

#include <errno.h>
#include <string.h>

#define QUEUE  32
#define BUFFER ((size_t)1 * MiB)

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

static always_inline_ bool is_left(const struct mark *m, u32 slot)
{
    return m->left[slot / 64] >> (slot & 63) & 1;
}

static always_inline_ void push(struct mark *m, u32 span, u32 slot)
{
    assert(is_left(m, slot));
    assert(m->depth < m->blocks->live_count); // M1
    m->left[slot / 64] &= ~((u64)1 << (slot & 63));
    m->work[m->depth++] = (struct work){span, slot};
}

void mark_slot(struct mark *m, u32 span, u32 slot)
{
    if (is_left(m, slot))
        push(m, span, slot);
}

void mark_words(struct mark *m, const u64 *words, size_t count)
{
    const struct blocks *b = m->blocks;
    m->words += count;
    for (size_t i = 0; i < count; i++) {
        u32 slot;
        const struct page *p = blocks_slot(b, words[i], &slot);
        if (p != NULL && is_left(m, slot) && blocks_holds(b, p, words[i], slot))
            push(m, p->span, slot);
    }
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

static inline void fetch(const struct mark *m, struct work w)
{
    const struct span *s = &m->blocks->span[w.span];
    const char *at = s->image + (w.slot - s->slot) * s->size;
    __builtin_prefetch(at);
    __builtin_prefetch(at + size_min(s->size, 64) - 8); // half of the small blocks are in two lines
}

// Only the words that the span's shape names.
static noinline_ void mark_shaped(struct mark *m, const struct span *s, const u64 *words, size_t n)
{
    for (size_t i = 0; i < n; i += s->shape_words)
        for (u64 left = s->shape; left != 0; left &= left - 1) {
            size_t at = i + (unsigned)__builtin_ctzll(left);
            if (at < n)
                mark_words(m, &words[at], 1);
        }
}

static bool is_leaf(const struct span *s)
{
    return s->shape_words != 0 && s->shape == 0;
}

void mark_run(struct mark *m)
{
    struct work queue[QUEUE];
    unsigned head = 0, count = 0;
    while (m->depth != 0 || count != 0) {
        while (count < QUEUE && m->depth != 0) {
            struct work w = m->work[--m->depth];
            if (is_leaf(&m->blocks->span[w.span]))
                continue;
            fetch(m, w);
            queue[(head + count++) % QUEUE] = w;
        }
        if (count == 0)
            break;
        struct work w = queue[head];
        head = (head + 1) % QUEUE;
        count--;
        const u64 *words;
        assert(mark_test(m, w.slot));
        const struct span *s = &m->blocks->span[w.span];
        size_t n = mark_contents(s, w.slot, &words);
        if (likely(s->shape_words == 0))
            mark_words(m, words, n);
        else
            mark_shaped(m, s, words, n);
    }
    assert(m->depth == 0);
}
