// pool.c: objects of one type, and handles that go stale safely.
//
// Slots lie in chunks that double, so that an index is found with one count of leading zeros and
// nothing ever moves. The generation of a slot is odd while its object lives and grows at each
// birth and death; a handle is good while it equals the slot's. When a slot's generations are used
// up it is retired: a handle never comes alive again.
//
// Free slots are bits, 64 to a word. Objects are born out of the window, a word that was taken out
// of its place: a list through the free slots themselves was tried, and each birth waited for the
// link of the one before (10 ns a birth and death instead of 5). Words with free slots form a list,
// so none is searched for. What is common is inline in the header; here is the rest.
#include <loam/pool.h>

#include "base/base.h"
#include "heap/owner.h"
#include "own/debug.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

// L1  slot i exists iff i < fresh, in chunk log2(i + 32) - 5.
// L2  its generation is odd iff its object is live; live counts them.
// L3  a slot that is not live has its bit in `window` or in its word's `free`, never in both, or
// was
//     retired: live + bits + retired == fresh.
// L4  the owner is registered iff there is a chunk.
// L5  a word is in the list from `words` iff its `free` is not 0.
// L6  slot i is bit (i + 32) % 64 of word (i + 32) / 64, so each chunk but the first one has whole
//     words. Words that hold slots from `fresh` on were never written, but for those of a window.
static_assert(LOAM_POOL_FIRST_LOG + LOAM_POOL_CHUNKS <= 31, "indices and their sums fit 32 bits");
static_assert(sizeof(loam_pool_word) == 16, "the slots behind words and generations stay aligned");

#define FREED 0xd5 // what a freed object is full of while it is watched

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
    return (size_t)1 << (LOAM_POOL_FIRST_LOG + k);
}

// L6, of all slots up to chunk k
static size_t words_to(unsigned k)
{
    return 2 * chunk_slots(k) / 64;
}

// Bytes in front of slot 0, for words and generations.
static size_t chunk_head(const loam_pool *p, unsigned k)
{
    size_t words = words_to(k) * sizeof(loam_pool_word);
    return round_up(words + chunk_slots(k) * sizeof(u32), p->slot.align);
}

static loam_layout chunk_layout(const loam_pool *p, unsigned k)
{
    size_t align = size_max(p->slot.align, LOAM_ALIGNOF(loam_pool_word));
    loam_layout head = loam_layout_make(chunk_head(p, k), align);
    return loam_layout_extend(head, loam_layout_array(p->slot, chunk_slots(k)), NULL);
}

static always_inline_ loam_pool_slot slot_of(const loam_pool *p, u32 index)
{
    return loam_pool_slot_(p, index, p->slot.size);
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
    ret->used_max = size_max(p->live, p->live_max) * p->slot.size;
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
    *p = (loam_pool){.slot = object,
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
    p->chunk[k] = chunk + chunk_head(p, k);
    if (k != 0)
        memcpy(chunk, p->word, words_to(k - 1) * sizeof *p->word);
    p->word = (loam_pool_word *)(void *)chunk;
    p->held += l.size;
    p->chunks++;
    owner_unlock(&p->owner);
    return true;
}

static bool watched(const loam_pool *p)
{
    return p->easy != p->fresh;
}

// A freed object of a watched pool that is about to be used again.
static void check_untouched(const loam_pool *p, u32 index)
{
    loam_pool_slot s = slot_of(p, index);
    struct note n;
    struct telling t = {"pool: a freed object was written to",
                        s.object,
                        "freed here",
                        "used again here",
                        NULL,
                        NULL};
    for (size_t i = 0; i < p->slot.size; i++)
        if ((u8)s.object[i] != FREED) {
            t.first = note_find(NOTE_POOL_FREED, s.object, *s.generation - 1, &n) ? &n : NULL;
            debug_tell(&t);
            return;
        }
}

static void set_window(loam_pool *p, u32 index, u64 bits)
{
    loam_pool_slot s = slot_of(p, index);
    p->window = bits;
    p->window_at = index;
    p->window_slot = s.object;
    p->window_generation = s.generation;
    p->live_max = p->live > p->live_max ? p->live : p->live_max;
}

// All slots up to the end of a word. L1: the first chunk is half a word.
static bool take_fresh(loam_pool *p)
{
    if (p->fresh == ((1u << p->chunks) - 1) << LOAM_POOL_FIRST_LOG && !grow(p))
        return false;
    u32 count = p->fresh == 0 ? 1u << LOAM_POOL_FIRST_LOG : 64;
    loam_pool_slot s = slot_of(p, p->fresh);
    for (u32 i = 0; i < count; i++)
        *(s.generation - i) = p->seed;
    p->word[(p->fresh + count - 1 + (1u << LOAM_POOL_FIRST_LOG)) / 64] = (loam_pool_word){0, 0};
    set_window(p, p->fresh, ~(u64)0 >> (64 - count));
    p->fresh += count;
    p->easy = debugging() ? 0 : p->fresh;
    return true;
}

// All that the first word has. Of a watched pool the lowest one, which is looked at.
static void take_word(loam_pool *p)
{
    loam_pool_word *w = &p->word[p->words - 1];
    u32 n = (p->words - 1) * 64;
    assert(w->free != 0); // L5
    u64 bits = watched(p) ? w->free & -w->free : w->free;
    w->free &= ~bits;
    if (w->free == 0)
        p->words = w->next;
    if (n == 0) { // L1: the first chunk is the upper half of its word
        n = 32;
        bits >>= 32;
    }
    set_window(p, n - 32, bits);
    if (unlikely(watched(p)))
        check_untouched(p, n - 32 + (u32)__builtin_ctzll(bits));
}

void *loam_pool_new_(loam_pool *p, loam_handle *ret)
{
    if (p->words != 0)
        take_word(p);
    else if (!take_fresh(p))
        return NULL;
    return loam_pool_take_(p, ret, p->slot.size);
}

static always_inline_ bool is_live(const loam_pool *p, loam_handle h, loam_pool_slot *ret)
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
    loam_pool_slot s;
    if (likely(is_live(p, h, &s)))
        return s.object;
    if (debugging())
        tell_stale(p, h, "asked for here");
    return NULL;
}

// What is watched, told or at its end; the rest was done where this was called.
bool loam_pool_free_(loam_pool *p, loam_handle h)
{
    loam_pool_slot s;
    if (unlikely(!is_live(p, h, &s))) {
        if (debugging())
            tell_stale(p, h, "freed again here");
        return false;
    }
    if (watched(p)) {
        note_put(NOTE_POOL_FREED, s.object, h.generation, p->made);
        memset(s.object, FREED, p->slot.size);
    }
    p->live--;
    if (unlikely(++*s.generation == p->seed)) { // once around
        p->retired++;
        return true;
    }
    loam_pool_put_(p, h.index);
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
        loam_alloc_free(p->alloc, p->chunk[k] - chunk_head(p, k), chunk_layout(p, k));
    loam_layout slot = p->slot;
    loam_pool_init_(p, slot, p->alloc, p->name, p->place,
                    p->made); // a new seed: old handles stay stale
}
