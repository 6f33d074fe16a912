// shadow.h: random operations on the heap, each block filled with a pattern of its own and looked
// at before it is given up. Two blocks that overlap, a block handed out twice, or bytes lost in a
// move show as a broken pattern.
//
// A block of 16 bytes or more begins with its size and its seed, so that it can be checked by
// whoever meets it: threads exchange blocks through `shared`, and free what others allocated.
#pragma once

#include "heap/api.h"
#include "tests/check.h"

#include <errno.h>
#include <loam/heap.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SLOTS  512
#define SHARED 256

struct block {
    u64 size, seed;
};

struct actor {
    u64 random;
    void *slot[SLOTS];
    u32 size[SLOTS]; // of blocks below 16 bytes
    bool may_fail;   // the kernel refuses: NULL with ENOMEM is right
};

static _Atomic(struct block *) shared[SHARED];

static u64 next_random(u64 *state)
{
    u64 x = *state += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static size_t random_size(u64 *random)
{
    u64 x = next_random(random), y = x >> 8;
    switch (x & 31) {
    default:
        return y % 257;
    case 20 ... 27:
        return y % 4097;
    case 28 ... 30:
        return y % 65537;
    case 31:
        return (x >> 5 & 7) != 0 ? y % (1u << 18) : y % (3u << 20);
    }
}

// Bytes whose values are looked at: all of a small block, a sample of a large one.
static size_t step_of(size_t size)
{
    return size <= 4096 ? 1 : size <= 65536 ? 61 : 4093;
}

static void fill(void *p, size_t size, u64 seed)
{
    unsigned char *b = p;
    size_t from = 0;
    if (size >= sizeof(struct block)) {
        *(struct block *)p = (struct block){size, seed};
        from = sizeof(struct block);
    }
    for (size_t i = from, step = step_of(size); i < size; i += step)
        b[i] = (unsigned char)(seed + i * 37);
}

static void look(const void *p, size_t size, u64 seed)
{
    const unsigned char *b = p;
    size_t from = 0;
    if (size >= sizeof(struct block)) {
        const struct block *head = p;
        CHECK(head->size == size);
        CHECK(head->seed == seed);
        from = sizeof(struct block);
    }
    for (size_t i = from, step = step_of(size); i < size; i += step)
        CHECK(b[i] == (unsigned char)(seed + i * 37));
}

static u64 seed_of(const void *p)
{
    return (u64)(uintptr_t)p * 0x9e3779b97f4a7c15;
}

// A small block's seed is its address; a larger one that moved carries its own.
static void look_self(const void *p, size_t small)
{
    if (small < sizeof(struct block))
        look(p, small, seed_of(p));
    else
        look(p, ((const struct block *)p)->size, ((const struct block *)p)->seed);
}

static void check_zero(const unsigned char *p, size_t size)
{
    for (size_t i = 0, step = step_of(size); i < size; i += step)
        CHECK(p[i] == 0);
}

static void *allocate(struct actor *a, size_t size)
{
    u64 x = next_random(&a->random);
    size_t align = 16;
    void *p;
    if (x % 8 == 0) {
        p = loam_calloc(1, size);
        if (p != NULL)
            check_zero(p, size);
    } else if (x % 8 == 1) {
        align = (size_t)1 << (x >> 8) % 18;
        p = loam_aligned_alloc(align, size);
    } else {
        p = loam_malloc(size);
    }
    if (p == NULL) {
        CHECK(a->may_fail && errno == ENOMEM);
        return NULL;
    }
    CHECK((uintptr_t)p % (align < 16 ? 16 : align) == 0);
    CHECK(loam_usable_size(p) >= size);
    fill(p, size, seed_of(p));
    return p;
}

static void put_slot(struct actor *a, size_t i, size_t size)
{
    a->slot[i] = allocate(a, size);
    a->size[i] = size < sizeof(struct block) ? (u32)size : (u32)sizeof(struct block);
}

static void free_slot(struct actor *a, size_t i)
{
    if (a->slot[i] == NULL)
        return;
    look_self(a->slot[i], a->size[i]);
    errno = 77;
    loam_free(a->slot[i]);
    CHECK(errno == 77);
    a->slot[i] = NULL;
}

static void resize_slot(struct actor *a, size_t i, size_t size)
{
    struct block *p = a->slot[i];
    if (p == NULL || a->size[i] < sizeof(struct block) || size < sizeof(struct block))
        return;
    struct block old = *p;
    look(p, old.size, old.seed);
    struct block *q = loam_realloc(p, size);
    if (q == NULL) {
        CHECK(a->may_fail && errno == ENOMEM);
        look(p, old.size, old.seed); // as it was
        return;
    }
    size_t both = size < old.size ? size : old.size;
    CHECK(q->size == old.size && q->seed == old.seed);
    const unsigned char *b = (const unsigned char *)q;
    for (size_t at = sizeof old, step = step_of(old.size); at < both; at += step)
        CHECK(b[at] == (unsigned char)(old.seed + at * 37));
    fill(q, size, seed_of(q));
    a->slot[i] = q;
}

// Give a block to whoever comes by, and get one.
static void exchange_slot(struct actor *a, size_t i)
{
    if (a->slot[i] != NULL && a->size[i] < sizeof(struct block))
        return;
    size_t k = next_random(&a->random) % SHARED;
    a->slot[i] = atomic_exchange_explicit(&shared[k], a->slot[i], memory_order_acq_rel);
    a->size[i] = sizeof(struct block);
}

static void act(struct actor *a, int times)
{
    while (times-- > 0) {
        u64 x = next_random(&a->random);
        size_t i = x % SLOTS;
        switch (x >> 32 & 7) {
        case 0:
        case 1:
            exchange_slot(a, i);
            break;
        case 2:
            resize_slot(a, i, random_size(&a->random));
            break;
        case 3:
            free_slot(a, i);
            break;
        default:
            free_slot(a, i);
            put_slot(a, i, random_size(&a->random));
        }
    }
}

static void free_all(struct actor *a)
{
    for (size_t i = 0; i < SLOTS; i++)
        free_slot(a, i);
}

static void free_shared(void)
{
    for (size_t i = 0; i < SHARED; i++) {
        struct block *p = atomic_exchange(&shared[i], NULL);
        if (p != NULL)
            look(p, p->size, p->seed);
        loam_free(p);
    }
}

// All invariants of the heap, when nobody else is inside.
static void sound(void)
{
    const char *broken = heap_check();
    if (broken != NULL) {
        dprintf(2, "heap_check: %s\n", broken);
        _exit(1);
    }
}
