// tags.h: what the recorder knows of each live block: its site, its kind, the bytes asked for.
//
// A tag is 8 bytes and stands outside the block. A slab's tags are one array, made at the slab's
// first recorded allocation and given back when the slab dies; a large block has two tags (its
// size needs 64 bits), a block outside the arena has them in its struct far_block. Arrays lie in an
// arena of our own, at one fixed address, so that a descriptor names its array by a 32-bit index
// of 16-byte units and the tool finds every tag by arithmetic.
//
// Only a slab's owner makes its array. Others read it when they free a block that the owner handed
// out, so they were told of the block, and of the array with it. Arrays are made and given back
// without locks: a slab dies inside the heap's locks, and a fork may happen at any instruction.
#pragma once

#include "format/recording.h"
#include "heap/api.h"

// Tags of one block. For large blocks the second word has the upper bits of the size.
struct tags {
    _Atomic u64 *at;
    bool large;
    size_t capacity; // bytes that the block can hold
};

// The tags of the block that p points into. With `make` they are made if there are none. False if p
// is no pointer of the heap, if there are none, or if memory is short.
bool tags_find(const void *p, bool make, struct tags *ret);

// `tag.size` is taken from `size`.
void tags_set(const struct tags *t, struct tag tag, size_t size);
// The tag, its `size` being the lower bits; *ret_size is the whole.
struct tag tags_get(const struct tags *t, size_t *ret_size);
void tags_clear(const struct tags *t);
// The block at p describes a module: say so when it is freed.
void tags_watch(const void *p);

// The span of d dies: its tags are given back.
void tags_gone(struct desc *d);
// Where the arena lies; 0 if no memory could be had.
u64 tags_base(void);
