// pool.c: objects of one type, and handles that go stale safely.
//
// Slots lie in chunks that double, so that an index is found with one count of leading zeros and
// nothing ever moves. The generation of a slot is odd while its object lives and grows at each
// birth and death; a handle is good while it equals the slot's. When a slot's generations are used
// up it is retired: a handle never comes alive again. Free slots form a list through their own
// first bytes, newest first, because it is likely in the cache.
#include <loam/pool.h>

#include "base/base.h"
#include "heap/owner.h"
#include "own/debug.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

// L1  slot i exists iff i < fresh, in chunk log2(i + 32) - 5.
// L2  its generation is odd iff its object is live; live counts them.
// L3  a free slot is in the list from first_free, or was retired: live + listed + retired == fresh.
// L4  the owner is registered iff there is a chunk.
#define FIRST_LOG 5
static_assert(FIRST_LOG + LOAM_POOL_CHUNKS <= 31, "indices and their sums fit 32 bits");

// Every pool begins with generations of its own, so that a handle is stale in every other one.
static struct {
    _Atomic u32 pools;
} the_pools;

static u32 new_seed(void)
{
    u32 n = atomic_fetch_add_explicit(&the_pools.pools, 1, memory_order_relaxed);
    return (n + 1) * 2654435761u << 1; // spread over all even numbers
}

static size_t chunk_slots(unsigned k)
{
    return (size_t)1 << (FIRST_LOG + k);
}

static loam_layout chunk_layout(const loam_pool *p, unsigned k)
{
    loam_layout slots = loam_layout_array(p->slot, chunk_slots(k));
    return loam_layout_extend(slots, loam_layout_array(loam_layout_of(u32), chunk_slots(k)), NULL);
}

// L1
static always_inline_ void place_of(u32 index, unsigned *ret_chunk, size_t *ret_number)
{
    u32 n = index + (1u << FIRST_LOG);
    unsigned log = 31u - (unsigned)__builtin_clz(n);
    *ret_chunk = log - FIRST_LOG;
    *ret_number = n - (1u << log);
}

// A slot: its object, and its generation behind all objects of the chunk.
struct slot {
    char *object;
    u32 *generation;
};

static always_inline_ struct slot slot_of(const loam_pool *p, u32 index)
{
    unsigned k;
    size_t i;
    place_of(index, &k, &i);
    char *chunk = p->chunk[k];
    return (struct slot){chunk + i * p->slot.size,
                         (u32 *)(void *)(chunk + chunk_slots(k) * p->slot.size) + i};
}

static void *slot_at(const loam_pool *p, u32 index)
{
    return slot_of(p, index).object;
}

// ---------------------------------------------------------------- as an owner

static bool find(const loam_owner_link *link, const void *at, size_t *ret_offset)
{
    const loam_pool *p = container_of(link, loam_pool, owner);
    for (unsigned k = 0; k < p->chunks; k++) {
        size_t offset = (uintptr_t)at - (uintptr_t)p->chunk[k];
        if (offset < chunk_slots(k) * p->slot.size) {
            *ret_offset = offset % p->slot.size; // in the object
            return true;
        }
    }
    return false;
}

static void describe(const loam_owner_link *link, loam_owner_info *ret)
{
    const loam_pool *p = container_of(link, loam_pool, owner);
    ret->name = p->name;
    ret->place = p->place;
    ret->held = p->held;
    ret->used = p->live * p->slot.size;
    ret->used_max = p->live_max * p->slot.size;
}

static void detail(const loam_owner_link *link, const void *at, loam_owner_info *ret)
{
    const loam_pool *p = container_of(link, loam_pool, owner);
    if (find(link, at, &ret->in_object))
        ret->made = p->made;
}

static const struct loam_owner_ops pool_owner = {"pool", describe, find, detail};

// ---------------------------------------------------------------- life

void loam_pool_init_(loam_pool *p, loam_layout object, loam_alloc alloc, const char *name,
                     const char *place, const char *made)
{
    // Room for the link of a free slot, and no generation behind an odd number of bytes.
    loam_layout slot = loam_layout_make(size_max(object.size, sizeof(u32)),
                                        size_max(object.align, LOAM_ALIGNOF(u32)));
    *p = (loam_pool){.slot = loam_layout_pad(slot),
                     .alloc = alloc,
                     .seed = new_seed(),
                     .name = name,
                     .place = place,
                     .made = made};
}

static bool grow(loam_pool *p)
{
    unsigned k = p->chunks;
    if (k == LOAM_POOL_CHUNKS) {
        errno = ENOMEM;
        return false;
    }
    loam_layout l = chunk_layout(p, k);
    char *chunk = loam_alloc_new(p->alloc, l);
    if (chunk == NULL)
        return false;
    if (k == 0)
        owner_add(&p->owner, &pool_owner); // L4
    owner_lock(&p->owner);                 // N2
    p->chunk[k] = chunk;
    p->held += l.size;
    p->chunks++;
    owner_unlock(&p->owner);
    return true;
}

// A slot that was freed: its link was the program's to destroy.
static void check_link(const loam_pool *p, u32 next, const void *object)
{
    if (unlikely(next > p->fresh))
        die("pool: a freed object was written to", object);
}

static bool take_fresh(loam_pool *p)
{
    unsigned k;
    size_t i;
    place_of(p->fresh, &k, &i);
    if (k >= p->chunks && !grow(p))
        return false;
    *slot_of(p, p->fresh).generation = p->seed;
    p->fresh++;
    return true;
}

void *loam_pool_new_(loam_pool *p, loam_handle *ret)
{
    u32 index = p->first_free - 1;
    if (p->first_free == 0) {
        index = p->fresh;
        if (!take_fresh(p))
            return NULL;
    }
    struct slot s = slot_of(p, index);
    if (p->first_free != 0) {
        u32 next;
        memcpy(&next, s.object, sizeof next);
        check_link(p, next, s.object);
        p->first_free = next;
    }
    u32 generation = ++*s.generation;
    assert(generation & 1); // L2
    p->live++;
    p->live_max = p->live > p->live_max ? p->live : p->live_max;
    *ret = (loam_handle){index, generation};
    return s.object;
}

static always_inline_ bool is_live(const loam_pool *p, loam_handle h, struct slot *ret)
{
    if (unlikely(h.index >= p->fresh || (h.generation & 1) == 0))
        return false;
    *ret = slot_of(p, h.index);
    return *ret->generation == h.generation;
}

// A stale handle has a defined result, so this tells and returns. {0, 0} means no object on
// purpose.
static cold_ void tell_stale(const loam_pool *p, loam_handle h, const char *now)
{
    struct note n;
    if (h.generation == 0)
        return;
    struct telling t = {
        "pool: a handle that this pool never gave", p, "freed here", now, NULL, NULL};
    if (h.index < p->fresh && note_find(NOTE_POOL_FREED, slot_at(p, h.index), h.generation, &n)) {
        t.what = "pool: a stale handle";
        t.object = n.object;
        t.first = &n;
    }
    debug_tell(&t);
}

void *loam_pool_get_(const loam_pool *p, loam_handle h)
{
    struct slot s;
    if (likely(is_live(p, h, &s)))
        return s.object;
    if (debugging())
        tell_stale(p, h, "asked for here");
    return NULL;
}

bool loam_pool_free_(loam_pool *p, loam_handle h)
{
    struct slot s;
    if (unlikely(!is_live(p, h, &s))) {
        if (debugging())
            tell_stale(p, h, "freed again here");
        return false;
    }
    if (debugging())
        note_put(NOTE_POOL_FREED, s.object, h.generation, p->made);
    p->live--;
    if (unlikely(++*s.generation == p->seed)) { // once around
        p->retired++;
        return true;
    }
    memcpy(s.object, &p->first_free, sizeof p->first_free);
    p->first_free = h.index + 1;
    return true;
}

// A handle that was just freed still says where it stood; {0, 0} stands before the first slot.
bool loam_pool_next_(const loam_pool *p, loam_handle *h)
{
    for (u32 i = h->generation == 0 ? 0 : h->index + 1; i < p->fresh; i++) {
        u32 generation = *slot_of(p, i).generation;
        if (generation & 1) {
            *h = (loam_handle){i, generation};
            return true;
        }
    }
    return false;
}

void loam_pool_done_(loam_pool *p)
{
    owner_remove(&p->owner); // L4: before its chunks, which readers walk
    for (unsigned k = 0; k < p->chunks; k++)
        loam_alloc_free(p->alloc, p->chunk[k], chunk_layout(p, k));
    loam_layout slot = p->slot;
    loam_pool_init_(p, slot, p->alloc, p->name, p->place,
                    p->made); // a new seed: old handles stay stale
}
