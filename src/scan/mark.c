// mark.c: which live blocks can be reached? A worklist, no recursion, and a short queue that
// fetches a block's bytes into the cache before they are looked at.
//
// Scattered heaps miss the cache once a block, and the processor cannot guess the next address
// from the last. So blocks leave the worklist through a queue of 16: on entry their first line and
// their tag are prefetched, on exit, 16 blocks later, they have arrived. (Prefetching when a block
// is marked is too early: a wide block pushes hundreds, and the first lines are evicted again.)
#include "scan/mark.h"

#include <errno.h>
#include <string.h>

#define QUEUE  16
#define BUFFER ((size_t)1 * MiB)

static size_t marked_room(const struct blocks *b)
{
    return b->slot_room / 8;
}

static size_t work_room(const struct blocks *b)
{
    return (b->live_count + 1) * sizeof(struct work);
}

int mark_init(struct mark *m, const struct blocks *b)
{
    struct target *t = b->target;
    *m = (struct mark){.blocks = b};
    m->marked = t->map(t, marked_room(b));
    m->work = t->map(t, work_room(b));
    m->buffer = t->map(t, BUFFER);
    m->clip = t->map(t, MARK_CLIPS_MAX * sizeof *m->clip);
    if (m->marked != NULL && m->work != NULL && m->buffer != NULL && m->clip != NULL)
        return 0;
    mark_done(m);
    return -ENOMEM;
}

void mark_done(struct mark *m)
{
    struct target *t = m->blocks != NULL ? m->blocks->target : NULL;
    if (m->marked != NULL)
        t->unmap(t, m->marked, marked_room(m->blocks));
    if (m->work != NULL)
        t->unmap(t, m->work, work_room(m->blocks));
    if (m->buffer != NULL)
        t->unmap(t, m->buffer, BUFFER);
    if (m->clip != NULL)
        t->unmap(t, m->clip, MARK_CLIPS_MAX * sizeof *m->clip);
    *m = (struct mark){0};
}

// ---------------------------------------------------------------- marking

static always_inline_ void push(struct mark *m, const struct span *s, u32 slot)
{
    u64 bit = (u64)1 << (slot & 63);
    if (m->marked[slot / 64] & bit)
        return;
    m->marked[slot / 64] |= bit;
    assert(m->depth < m->blocks->live_count); // M1
    m->work[m->depth++] = (struct work){(u32)(s - m->blocks->span), slot};
}

void mark_slot(struct mark *m, u32 span, u32 slot)
{
    push(m, &m->blocks->span[span], slot);
}

void mark_words(struct mark *m, const u64 *words, size_t count)
{
    const struct blocks *b = m->blocks;
    m->words += count;
    for (size_t i = 0; i < count; i++) {
        u32 slot;
        const struct span *s = blocks_find(b, words[i], &slot);
        if (unlikely(s != NULL))
            push(m, s, slot);
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

// ---------------------------------------------------------------- stacks inside blocks

static u32 clip_find(const struct mark *m, u32 slot)
{
    u32 low = 0, high = m->clip_count; // the first clip at or behind slot
    while (low < high) {
        u32 mid = low + (high - low) / 2;
        if (m->clip[mid].slot < slot)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void mark_clip(struct mark *m, u64 sp)
{
    u32 slot;
    const struct span *s = blocks_find(m->blocks, sp, &slot);
    if (s == NULL)
        return;
    u64 from = sp - s->start - (slot - s->slot) * s->size;
    u32 i = clip_find(m, slot);
    if (i < m->clip_count && m->clip[i].slot == slot) {
        if (from < m->clip[i].from) // two threads in one block: the lower one counts
            m->clip[i].from = from;
        return;
    }
    if (m->clip_count == MARK_CLIPS_MAX)
        return;
    memmove(&m->clip[i + 1], &m->clip[i], (m->clip_count - i) * sizeof *m->clip);
    m->clip[i] = (struct clip){slot, from};
    m->clip_count++;
}

static cold_ u64 clip_from(const struct mark *m, u32 slot)
{
    u32 i = clip_find(m, slot);
    return i < m->clip_count && m->clip[i].slot == slot ? m->clip[i].from : 0;
}

// ---------------------------------------------------------------- following

size_t mark_contents(const struct mark *m, const struct span *s, u32 slot, const u64 **ret_words)
{
    const struct blocks *b = m->blocks;
    u64 in_span = (slot - s->slot) * s->size; // a multiple of 16, so words stay aligned
    u64 asked = blocks_asked(b, s, slot) & ~(u64)7;
    u64 from = 0;
    if (unlikely(m->clip_count != 0))
        from = size_min(round_up(clip_from(m, slot), 8), asked);
    *ret_words = (const u64 *)(s->image + in_span + from);
    return (asked - from) / 8;
}

static inline void fetch(const struct mark *m, struct work w)
{
    const struct span *s = &m->blocks->span[w.span];
    __builtin_prefetch(s->image + (w.slot - s->slot) * s->size);
    __builtin_prefetch(&m->blocks->tag[w.slot]);
}

void mark_run(struct mark *m)
{
    struct work queue[QUEUE];
    unsigned head = 0, count = 0;
    while (m->depth != 0 || count != 0) {
        while (count < QUEUE && m->depth != 0) {
            struct work w = m->work[--m->depth];
            fetch(m, w);
            queue[(head + count++) % QUEUE] = w;
        }
        struct work w = queue[head];
        head = (head + 1) % QUEUE;
        count--;
        const u64 *words;
        size_t n = mark_contents(m, &m->blocks->span[w.span], w.slot, &words);
        mark_words(m, words, n);
    }
}
