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
#include "heap/find.h"

#include <string.h>

// Tags of one block. For large blocks the second word has the upper bits of the size.
struct tags {
    _Atomic u64 *at;
    bool large;
    size_t capacity; // bytes that the block can hold
};

#define TAGS_UNIT 16
extern hidden_ _Atomic u64 tags_arena; // where it lies; 0: not chosen yet

bool tags_find_any(const void *p, bool make, struct tags *ret);

// The tags of the block that p points into. With `make` they are made if there are none. False if p
// is no pointer of the heap, if there are none, or if memory is short.
static always_inline_ bool tags_find(const void *p, bool make, struct tags *ret)
{
    u32 index = 0; // for gcc -Og, which does not see that it is set
    const struct desc *d = find_slab(p, &index);
    if (unlikely(d == NULL || d->tags == 0))
        return tags_find_any(p, make, ret);
    u64 base = atomic_load_explicit(&tags_arena, memory_order_relaxed);
    _Atomic u64 *array = (_Atomic u64 *)(uintptr_t)(base + (u64)d->tags * TAGS_UNIT);
    *ret = (struct tags){array + index, false, desc_size(d)};
    return true;
}

static always_inline_ u64 tags_pack(struct tag t)
{
    u64 v;
    memcpy(&v, &t, sizeof v);
    return v;
}

static always_inline_ struct tag tags_unpack(u64 v)
{
    struct tag t;
    memcpy(&t, &v, sizeof t);
    return t;
}

// `tag.size` is taken from `size`.
static always_inline_ void tags_set(const struct tags *t, struct tag tag, size_t size)
{
    tag.size = size & 0xffff;
    if (unlikely(t->large))
        atomic_store_explicit(&t->at[1], size >> 16, memory_order_relaxed);
    atomic_store_explicit(&t->at[0], tags_pack(tag), memory_order_relaxed);
}

// The tag, its `size` being the lower bits; *ret_size is the whole.
static always_inline_ struct tag tags_get(const struct tags *t, size_t *ret_size)
{
    struct tag tag = tags_unpack(atomic_load_explicit(&t->at[0], memory_order_relaxed));
    *ret_size = tag.size;
    if (unlikely(t->large))
        *ret_size |= atomic_load_explicit(&t->at[1], memory_order_relaxed) << 16;
    return tag;
}

static always_inline_ void tags_clear(const struct tags *t)
{
    atomic_store_explicit(&t->at[0], 0, memory_order_relaxed);
}

// The block at p describes a module: say so when it is freed.
void tags_watch(const void *p);

// The span of d dies: its tags are given back.
void tags_gone(struct desc *d);
// Where the arena lies; 0 if no memory could be had.
u64 tags_base(void);
