// blocks.c: every live block of a target: the tables' life, and the copy of the blocks' bytes.
//
// The bytes are copied once, in big reads in order of address, instead of block by block as the
// mark reaches them: a system call costs more than the few words of a small block, and a copy
// keeps the target stopped for the time of a memcpy instead of the time of the mark.
#include "scan/blocks.h"
#include "scan/tables.h"

#include "os/chunk.h"

#include <errno.h>
#include <string.h>

#define COPY_PIECES 512
#define OWN_MAX     ((size_t)1 << 16) // entries of the chunk record that we are ready to read

static int map_slots(struct blocks *b)
{
    struct target *t = b->target;
    b->slot_room = b->slot_count + 64;
    b->live = t->map(t, b->slot_room / 8);
    b->tag = t->map(t, b->slot_room * sizeof *b->tag);
    return b->live != NULL && b->tag != NULL ? 0 : -ENOMEM;
}

int blocks_load(struct blocks *b, struct target *t, u64 root, u64 tags)
{
    *b = (struct blocks){.target = t};
    struct root r;
    int e = tables_root(t, root, &r);
    if (e == 0)
        e = tables_spans(b, &r);
    if (e == 0)
        e = map_slots(b);
    if (e == 0)
        e = tables_live(b, &r);
    if (e == 0)
        e = tables_tags(b, tags);
    if (e < 0)
        blocks_done(b);
    return e;
}

static void drop(struct target *t, void *at, size_t size)
{
    if (at != NULL)
        t->unmap(t, at, size);
}

void blocks_done(struct blocks *b)
{
    struct target *t = b->target;
    drop(t, b->page, b->page_room);
    drop(t, b->far, b->far_room);
    drop(t, b->span, b->span_room);
    drop(t, b->live, b->slot_room / 8);
    drop(t, b->tag, b->slot_room * sizeof *b->tag);
    drop(t, b->image, b->image_room);
    *b = (struct blocks){0};
}

// ---------------------------------------------------------------- the copy

static bool has_live(const struct blocks *b, const struct span *s)
{
    for (u32 w = 0; w * 64 < s->blocks; w++)
        if (b->live[s->slot / 64 + w] != 0)
            return true;
    return false;
}

// Bytes of the span that the mark can want, whole words.
static u64 copy_bytes(const struct span *s)
{
    return round_up(s->single ? s->asked : s->blocks * s->size, 8);
}

static u64 image_bytes(struct blocks *b)
{
    u64 at = 0;
    for (u32 i = 0; i < b->span_count; i++)
        if (has_live(b, &b->span[i]))
            at += copy_bytes(&b->span[i]);
    return at;
}

// B4. A separate pass, in order of address, so that the mark, which is not, has one cache miss a
// block instead of two.
static void trim(const struct blocks *b, const struct span *s)
{
    assert(s->image != NULL);
    assert(s->size % 16 == 0);
    const u64 *tag = &b->tag[s->slot];
    u64 words = s->size / 8;
    u64 *block = (u64 *)s->image;
    for (u32 i = 0; i < s->blocks; i++, block += words)
        if (tag[i] != 0)
            for (u64 w = tag[i] >> (BLOCKS_ASKED_SHIFT + 3); w < words; w++) // whole words
                block[w] = 0;
}

int blocks_copy(struct blocks *b)
{
    struct target *t = b->target;
    b->image_room = round_up(image_bytes(b), PAGE_SIZE) + PAGE_SIZE;
    size_t room = COPY_PIECES * sizeof(struct piece);
    struct piece *pieces = t->map(t, room);
    b->image = t->map(t, b->image_room);
    int e = pieces != NULL && b->image != NULL ? 0 : -ENOMEM;
    size_t n = 0;
    char *at = b->image;
    for (u32 i = 0; e == 0 && i < b->span_count; i++) {
        struct span *s = &b->span[i];
        if (!has_live(b, s))
            continue;
        s->image = at;
        pieces[n++] = (struct piece){s->start, at, copy_bytes(s)};
        at += copy_bytes(s);
        if (n == COPY_PIECES) {
            e = t->read(t, pieces, n);
            n = 0;
        }
    }
    if (e == 0 && n != 0)
        e = t->read(t, pieces, n);
    assert(at <= b->image + b->image_room || b->image == NULL);
    drop(t, pieces, room);
    for (u32 i = 0; e == 0 && i < b->span_count; i++)
        if (b->span[i].image != NULL && !b->span[i].single)
            trim(b, &b->span[i]);
    return e;
}

void blocks_clip(struct blocks *b, u64 sp)
{
    u32 slot;
    const struct span *s = blocks_find(b, sp, &slot);
    if (s == NULL || b->clipped == slot + 1)
        return;
    assert(s->image != NULL);
    b->clipped = slot + 1;
    u64 in_span = (slot - s->slot) * s->size;
    u64 end = s->single ? s->asked & ~(u64)7 : s->size;
    memset(s->image + in_span, 0, size_min(sp - s->start - in_span, end));
}

// ---------------------------------------------------------------- questions

const struct page *blocks_far(const struct blocks *b, u64 word)
{
    assert(word >= b->far_base);
    assert(word < b->far_end);
    u32 low = 0, high = b->span_count - b->far_first; // the last that starts at or below word
    while (high - low > 1) {
        u32 mid = low + (high - low) / 2;
        if (b->far[mid].start <= word)
            low = mid;
        else
            high = mid;
    }
    return &b->far[low];
}

bool blocks_inside(const struct blocks *b, const struct page *p, u64 word, u32 slot)
{
    const struct span *s = &b->span[p->span];
    assert(slot - s->slot < s->blocks);
    u64 offset = word - s->start - (slot - s->slot) * s->size;
    return offset == 0 || offset < blocks_asked(b, s, slot);
}

static int count_busy(void *ctx, const void *heap)
{
    *(int *)ctx += *(const u8 *)heap != 0;
    return 0;
}

int blocks_busy(struct target *t, u64 root)
{
    struct root r;
    int busy = 0;
    int e = tables_root(t, root, &r);
    if (e == 0)
        e = tables_heaps(t, &r, 1, count_busy, &busy);
    return e < 0 ? e : busy;
}

static void own_each(const loam_chunk *list, size_t count,
                     void (*each)(void *ctx, u64 start, u64 end), void *ctx)
{
    for (size_t i = 0; i < count; i++) {
        u64 start = (u64)(uintptr_t)list[i].addr;
        if (list[i].heap && list[i].size <= ~(u64)0 - start)
            each(ctx, start, start + list[i].size);
    }
}

int blocks_own(struct target *t, u64 root, void (*each)(void *ctx, u64 start, u64 end), void *ctx)
{
    struct root r;
    struct chunk_view view = {0};
    int e = tables_root(t, root, &r);
    if (e == 0 && r.chunks != 0)
        e = target_read(t, r.chunks, &view, sizeof view);
    if (e < 0 || view.count == 0)
        return e;
    if (view.count > OWN_MAX)
        return -EBADMSG;
    size_t room = view.count * sizeof *view.list;
    loam_chunk *list = t->map(t, room);
    if (list == NULL)
        return -ENOMEM;
    e = target_read(t, (u64)(uintptr_t)view.list, list, room);
    if (e == 0)
        own_each(list, view.count, each, ctx);
    t->unmap(t, list, room);
    return e;
}
