// blocks.h: every live block of a target, copied out of its tables.
//
// The heap's own tables are made for malloc and free. The mark asks one question a few hundred
// million times, "which block does this word point into?", so it gets a table of its own, in which
// every page, also a later one of its span, knows all that the answer needs, in half a cache line:
//
//     word -> page[(word - base) >> 14] -> slot + ((word - start) * magic >> 48)
//
// A slot is a block's number among all blocks of the target, live or not. Slots of one span are
// consecutive and start at a multiple of 64, so bitmaps over slots are made of whole words of the
// heap's own bitmaps, and everything known about a block is found by its slot.
//
// B1  spans stand in order of address and no two overlap.
// B2  a bit of `live` is set iff S1 of heap.h says so, or the block lies outside the arena.
// B3  every address, count and size that came from the target was checked before it was used.
// B4  in the copy of a slab, every live block is zero from the last whole word on that was asked
//     for. So the mark need not know how much that was.
#pragma once

#include "heap/heap.h"
#include "scan/target.h"

// What a word that points into a page needs. All zero for a page without blocks.
struct page {
    u64 start; // address of the span's first block
    u64 reach; // bytes from there that its blocks cover: blocks * size
    u64 magic; // 2^48 / size rounded up; 0 for a span of one block
    u32 slot;  // of the first block
    u32 span;  // index
};
static_assert(sizeof(struct page) == 32, "two a cache line");

struct span {
    u64 start;      // address of the first block
    u64 size;       // bytes a block
    u64 asked;      // of one block: bytes that were asked for; slabs keep it in each tag
    char *image;    // copy of the blocks
    u32 slot;       // of the first block
    u32 blocks;     // number of blocks
    u32 tags;       // desc.tags; 0 = none
    bool single;    // one large block, whose size does not fit its tag
    u8 shape_words; // words after which `shape` repeats; 0 = every word may be a pointer
    u64 shape;      // bit i: word i of each repetition may be a pointer; none: a leaf
    u64 pad;
};
static_assert(sizeof(struct span) == 64, "the mark looks at one a block");

struct blocks {
    struct target *target;
    u64 base, extent;      // the arena: addresses [base, base + extent)
    u64 far_base, far_end; // addresses between the first and the last block outside the arena
    struct page *page;     // of the arena
    struct page *far;      // of each span outside the arena
    struct span *span;     // B1; those outside the arena stand last, in order of address too
    u32 span_count;
    u32 far_first;  // the first span outside the arena
    u32 slot_count; // a multiple of 64
    u64 live_count; // live blocks
    u64 *live;      // bitmap over slots, B2
    u32 clipped;    // slot of the last block that blocks_clip changed, plus one
    u64 *tag;       // by slot, as the target stores it: the upper quarter is the size that was
                    // asked for, the lower half the caller's; 0 = unknown
    char *image;    // copies of all spans with live blocks
    size_t page_room, far_room, span_room, slot_room, image_room; // bytes mapped
    u64 busy; // heaps whose thread stood inside them (G1): the copy may be off
};

// Where a tag has the size that was asked for, of blocks of slabs (format/recording.h).
#define BLOCKS_ASKED_SHIFT 48

// Read the tables behind the heap_root at address `root`, and the tags at `tags` (0 = none).
// 0, -ENOMEM (the target's map said no), -ESRCH (the target is gone) or -EBADMSG (what stands
// there is no heap, or makes no sense). After a failure *b is empty.
int blocks_load(struct blocks *b, struct target *t, u64 root, u64 tags);
// Copy the bytes of all spans, for the mark (B4). 0, -ENOMEM or -ESRCH.
int blocks_copy(struct blocks *b);
// A stack pointer (red zone taken off) that may lie inside a live block: in the copy, zero what is
// dead below it. Several in one block: the lowest first.
void blocks_clip(struct blocks *b, u64 sp);
void blocks_done(struct blocks *b);

// Number of heaps whose thread stands inside them now (G1), by reading nothing but those words.
// Negative as blocks_load.
int blocks_busy(struct target *t, u64 root);

// loam's own mappings: memory that is no root. Calls `each` in order of address.
int blocks_own(struct target *t, u64 root, void (*each)(void *ctx, u64 start, u64 end), void *ctx);

// Where a block's contents end for the mark: what was asked for, or all of it if nobody knows. A
// word behind that is a leftover of an earlier block, and memcheck does not look at it either.
static inline u64 blocks_asked(const struct blocks *b, const struct span *s, u32 slot)
{
    assert(slot < b->slot_count);
    if (s->single)
        return s->asked;
    if (b->tag == NULL) // a collected heap: nobody keeps what was asked for
        return s->size;
    u64 tag = b->tag[slot];
    u64 asked = tag >> BLOCKS_ASKED_SHIFT;
    return tag == 0 || asked > s->size ? s->size : asked;
}

// The slow half of blocks_holds.
bool blocks_inside(const struct blocks *b, const struct page *p, u64 word, u32 slot);
// The page of a word that points between the first and the last block outside the arena.
const struct page *blocks_far(const struct blocks *b, u64 word);

// The page of the block that a word points into and its slot, live or not; NULL if there is none.
static inline const struct page *blocks_slot(const struct blocks *b, u64 word, u32 *ret_slot)
{
    u64 offset = word - b->base;
    const struct page *p;
    if (likely(offset < b->extent))
        p = &b->page[offset >> PAGE_SHIFT];
    else if (unlikely(word - b->far_base < b->far_end - b->far_base))
        p = blocks_far(b, word);
    else
        return NULL;
    u64 in_span = word - p->start;
    if (in_span >= p->reach)
        return NULL;
    *ret_slot = p->slot + (u32)(in_span * p->magic >> 48);
    return p;
}

// Whether a word points to what was asked for of its block, not behind it: a pointer past the end,
// which C++ containers keep, holds nothing. A start does, also of a block of zero bytes, and shows
// by a fraction of the product below that of one byte; so most words need no look at the tag.
static inline bool blocks_holds(const struct blocks *b, const struct page *p, u64 word, u32 slot)
{
    u64 fraction = (word - p->start) * p->magic & (((u64)1 << 48) - 1);
    return likely(fraction < p->magic) || blocks_inside(b, p, word, slot);
}

// A live block only, and its span.
static inline const struct span *blocks_find(const struct blocks *b, u64 word, u32 *ret_slot)
{
    u32 slot;
    const struct page *p = blocks_slot(b, word, &slot);
    if (p == NULL || (b->live[slot / 64] >> (slot & 63) & 1) == 0 ||
        !blocks_holds(b, p, word, slot))
        return NULL;
    *ret_slot = slot;
    return &b->span[p->span];
}
