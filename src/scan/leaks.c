// leaks.c: the live blocks that nothing reaches, sorted into direct, indirect and cycle.
//
// Strongly connected components would tell the same and more, at the price of a second stack and
// two words a block. Two passes of what is there already are enough, because the three kinds are
// defined by "pointed to" and "reached from" alone.
#include "scan/leaks.h"

#include <errno.h>
#include <string.h>

static size_t bitmap_room(const struct blocks *b)
{
    return b->slot_room / 8;
}

typedef void visit(struct leaks *l, struct mark *m, u32 span, u32 slot);

static void each_lost(struct leaks *l, struct mark *m, visit *fn)
{
    const struct blocks *b = l->blocks;
    for (u32 i = 0; i < b->span_count; i++) {
        const struct span *s = &b->span[i];
        for (u32 w = 0; w * 64 < s->blocks; w++) {
            u32 word = s->slot / 64 + w;
            for (u64 bits = l->lost[word]; bits != 0; bits &= bits - 1)
                fn(l, m, i, word * 64 + (u32)__builtin_ctzll(bits));
        }
    }
}

static void note_pointed(struct leaks *l, struct mark *m, u32 span, u32 slot)
{
    (void)m;
    const u64 *words;
    size_t n = mark_contents(&l->blocks->span[span], slot, &words);
    for (size_t i = 0; i < n; i++) {
        u32 to;
        const struct page *p = blocks_slot(l->blocks, words[i], &to);
        if (p != NULL && to != slot && blocks_holds(l->blocks, p, words[i], to))
            l->pointed[to / 64] |= (u64)1 << (to & 63);
    }
}

static void mark_head(struct leaks *l, struct mark *m, u32 span, u32 slot)
{
    if ((l->pointed[slot / 64] >> (slot & 63) & 1) == 0)
        mark_slot(m, span, slot);
}

int leaks_find(struct leaks *l, struct mark *m)
{
    const struct blocks *b = m->blocks;
    assert(m->depth == 0); // M2: mark_run has been done
    struct target *t = b->target;
    *l = (struct leaks){.blocks = b};
    l->lost = t->map(t, bitmap_room(b));
    l->pointed = t->map(t, bitmap_room(b));
    l->cycle = t->map(t, bitmap_room(b));
    if (l->lost == NULL || l->pointed == NULL || l->cycle == NULL) {
        leaks_done(l);
        return -ENOMEM;
    }
    memcpy(l->lost, m->left, bitmap_room(b));
    each_lost(l, m, note_pointed);
    each_lost(l, m, mark_head);
    mark_run(m);
    memcpy(l->cycle, m->left, bitmap_room(b));
    return 0;
}

void leaks_done(struct leaks *l)
{
    if (l->blocks == NULL)
        return;
    struct target *t = l->blocks->target;
    u64 *bitmaps[] = {l->lost, l->pointed, l->cycle};
    for (size_t i = 0; i < countof(bitmaps); i++)
        if (bitmaps[i] != NULL)
            t->unmap(t, bitmaps[i], bitmap_room(l->blocks));
    *l = (struct leaks){0};
}

// ---------------------------------------------------------------- telling

static enum leak_kind kind_of(const struct leaks *l, u32 slot)
{
    u64 bit = (u64)1 << (slot & 63);
    assert((l->cycle[slot / 64] & bit & ~l->lost[slot / 64]) == 0);
    assert((l->cycle[slot / 64] & bit & ~l->pointed[slot / 64]) == 0); // a head is no cycle
    if ((l->lost[slot / 64] & bit) == 0)
        return LEAK_REACHED;
    if (l->cycle[slot / 64] & bit)
        return LEAK_CYCLE;
    return l->pointed[slot / 64] & bit ? LEAK_INDIRECT : LEAK_DIRECT;
}

void leaks_each(const struct leaks *l, void (*each)(void *ctx, const struct leak *leak), void *ctx)
{
    const struct blocks *b = l->blocks;
    for (u32 i = 0; i < b->span_count; i++) {
        const struct span *s = &b->span[i];
        for (u32 n = 0; n < s->blocks; n++) {
            u32 slot = s->slot + n;
            if ((b->live[slot / 64] >> (slot & 63) & 1) == 0)
                continue;
            struct leak leak = {kind_of(l, slot), s->start + n * s->size, blocks_asked(b, s, slot),
                                b->tag[slot]};
            each(ctx, &leak);
        }
    }
}
