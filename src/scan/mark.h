// mark.h: which live blocks can be reached?
//
// A word that holds the address of any byte of a live block keeps that block alive: a start or an
// interior pointer, in a root or in another block that is reached. (Any byte that was asked for:
// one past the end does not count.) Words are looked at where the
// machine would store a pointer, at multiples of eight.
//
//     mark_init(&m, &blocks);
//     mark_range(&m, start, size);            // roots in the target's memory
//     mark_words(&m, registers, count);       // roots that were brought here
//     mark_run(&m);                           // follow everything
//
// M1  a bit of `left` is set for every live block that is not marked. When it is cleared the block
//     is put on the worklist: at most once, so room for all live blocks is enough.
// M2  after mark_run every block that a marked block points to is marked.
#pragma once

#include "scan/blocks.h"

struct work {
    u32 span; // index
    u32 slot;
};

struct mark {
    const struct blocks *blocks;
    u64 *left;         // M1: one bitmap instead of "live" and "marked", for one look a word
    struct work *work; // blocks marked and not yet looked into
    size_t depth;      // entries of work
    char *buffer;      // for parts of roots
    u64 words;         // looked at, for measuring
};

// 0 or -ENOMEM; after a failure *m is empty.
int mark_init(struct mark *m, const struct blocks *b);
void mark_done(struct mark *m);

// Roots. mark_range reads the target: 0 or -ESRCH.
int mark_range(struct mark *m, u64 start, u64 size);
void mark_words(struct mark *m, const u64 *words, size_t count);
// One block, as if something pointed to it.
void mark_slot(struct mark *m, u32 span, u32 slot);
// Needs the copy.
void mark_run(struct mark *m);

// The words of one block: *ret_words and their number.
static inline size_t mark_contents(const struct span *s, u32 slot, const u64 **ret_words)
{
    assert(s->image != NULL);
    *ret_words = (const u64 *)(s->image + (slot - s->slot) * s->size);
    return (s->single ? s->asked : s->size) / 8; // B4
}

// Whether a live block is marked.
static inline bool mark_test(const struct mark *m, u32 slot)
{
    return (m->left[slot / 64] >> (slot & 63) & 1) == 0;
}
