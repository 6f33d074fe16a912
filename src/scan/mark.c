// mark.c: which live blocks can be reached? A worklist, no recursion, and a short queue that
// fetches a block's bytes into the cache before they are looked at.
//
// Scattered heaps miss the cache once a block, and the processor cannot guess the next address
// from the last. So blocks leave the worklist through a queue of 32: on entry their first bytes are
// prefetched, on exit, 32 blocks later, they have arrived. (Prefetching when a block is marked is
// too early: a wide block pushes hundreds, and the first lines are evicted again.)
//
// Where blocks lie in the order in which they are reached, the processor fetches them by itself and
// the queue only costs. So it is measured which way is faster, a thousand blocks at a time.
//
// The inner loops work on a copy of struct mark in registers: its words are changed through
// pointers to words, so the compiler would otherwise load each of them anew for every word.
#include "scan/mark.h"

#include "os/os.h"

#include <errno.h>
#include <string.h>

#define QUEUE   32
#define SPANS   8  // blocks in the queue whose spans are on their way
#define WAITING 32 // candidates whose bits are on their way
#define BUFFER  ((size_t)1 * MiB)
#define ROUND   1024 // blocks after which it is decided whether to use the queue

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

static always_inline_ bool is_left(const struct hot *h, u32 slot)
{
    return h->left[slot / 64] >> (slot & 63) & 1;
}

// Candidates whose bits are on their way.
struct waiting {
    struct work work[WAITING];
    unsigned in, out;
};

static always_inline_ void settle(struct hot *h, struct waiting *c)
{
    struct work w = c->work[c->out++ % WAITING];
    if (is_left(h, w.slot))
        push(h, w.span, w.slot);
}

// `c` NULL: look at the bit at once.
static always_inline_ void mark_in(struct hot *h, struct waiting *c, const struct page *p, u64 word)
{
    u64 in_span = word - p->start;
    if (in_span >= p->reach)
        return;
    u32 slot = p->slot + (u32)(in_span * p->magic >> 48);
    if (c == NULL) {
        if (is_left(h, slot) && blocks_holds(h->blocks, p, word, slot))
            push(h, p->span, slot);
    } else if (blocks_holds(h->blocks, p, word, slot)) {
        __builtin_prefetch(&h->left[slot / 64], 1);
        c->work[c->in++ % WAITING] = (struct work){p->span, slot};
        if (c->in - c->out == WAITING)
            settle(h, c);
    }
}

static noinline_ void mark_far(struct hot *h, u64 word)
{
    mark_in(h, NULL, blocks_far(h->blocks, word), word);
}

static always_inline_ void mark_word(struct hot *h, struct waiting *c, u64 word)
{
    u64 offset = word - h->base;
    if (offset < h->extent)
        mark_in(h, c, &h->page[offset >> PAGE_SHIFT], word);
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
        mark_word(&h, NULL, words[i]);
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
                mark_word(h, NULL, words[at]);
        }
    return n;
}

// The words of one block. How many were looked at.
static always_inline_ size_t follow(struct hot *h, struct waiting *c, struct work w)
{
    const struct span *s = &h->blocks->span[w.span];
    const u64 *words;
    size_t n = mark_contents(s, w.slot, &words);
    if (unlikely(s->shape_words != 0))
        return mark_shaped(h, s, words, n);
    for (size_t i = 0; i < n; i++)
        mark_word(h, c, words[i]);
    return n;
}

static bool is_leaf(const struct span *s)
{
    return s->shape_words != 0 && s->shape == 0;
}

// Up to ROUND blocks, newest first.
static noinline_ void follow_ordered(struct mark *m)
{
    struct hot h = hot_of(m);
    size_t words = 0;
    for (unsigned i = 0; i < ROUND && h.depth != 0; i++) {
        struct work w = h.work[--h.depth];
        words += follow(&h, NULL, w);
    }
    m->words += words;
    m->depth = h.depth;
}

// The queue, oldest first: [followed, fetched) were prefetched, [fetched, taken) come next: of
// those the span is on its way, which tells where the block lies.
struct queue {
    struct work work[QUEUE];
    unsigned taken, fetched, followed;
};

static always_inline_ void take(struct hot *h, struct queue *q)
{
    struct work w = h->work[--h->depth];
    __builtin_prefetch(&h->blocks->span[w.span]);
    q->work[q->taken++ % QUEUE] = w;
}

// The bytes of the oldest whose span is there.
static always_inline_ void fetch(struct hot *h, struct queue *q)
{
    struct work w = q->work[q->fetched++ % QUEUE];
    const struct span *s = &h->blocks->span[w.span];
    const char *at = image_of(s, w.slot);
    if (is_leaf(s))
        return;
    __builtin_prefetch(at);
    __builtin_prefetch(at + size_min(s->size, 64) - 8); // half of the small blocks are in two lines
}

// The same through the queue, which is empty before and afterwards.
static noinline_ void follow_scattered(struct mark *m)
{
    struct hot h = hot_of(m);
    struct queue q;
    struct waiting c;
    c.in = c.out = 0;
    size_t words = 0;
    q.taken = q.fetched = q.followed = 0;
    for (;;) {
        while (q.taken - q.followed < QUEUE && h.depth != 0 && q.taken < ROUND)
            take(&h, &q);
        unsigned wait = h.depth == 0 || q.taken == ROUND ? 0 : SPANS; // nothing follows: do not
        while (q.taken - q.fetched > wait)
            fetch(&h, &q);
        if (q.followed != q.fetched)
            words += follow(&h, &c, q.work[q.followed++ % QUEUE]);
        else if (c.in != c.out)
            settle(&h, &c);
        else
            break;
    }
    m->words += words;
    m->depth = h.depth;
}

// Every now and then a round the other way, to see whether it would be faster by now. Measured, not
// guessed from addresses: a tree of pairs in another order than it is walked in is faster without
// the queue, and no two of its blocks are near each other.
void mark_run(struct mark *m)
{
    u64 cost[2] = {0, 0}; // of 1024 words without and with the queue, in ns, smoothed
    for (unsigned round = 0; m->depth != 0; round++) {
        unsigned way = round < 8 ? round & 1 : (unsigned)(cost[1] < cost[0]) ^ (round % 32 == 0);
        u64 start = os_monotonic_ns(), words = m->words;
        if (way == 0)
            follow_ordered(m);
        else
            follow_scattered(m);
        u64 took = (os_monotonic_ns() - start) * 1024 / (m->words - words + 1);
        // At most doubled: a round in which the processor was taken away says nothing.
        cost[way] = cost[way] != 0 ? (3 * cost[way] + size_min(took, 2 * cost[way])) / 4 : took;
    }
}
