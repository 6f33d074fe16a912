// tags.c: arrays of tags, in an arena of their own.
//
//     base                next
//     [step|step|step|....]           steps of 1 MiB are mapped as `next` reaches them
//
// An array that was given back is kept in a list of its size; the list's link lies in the array's
// first word. The heads carry a count of changes in their upper half, so that a head that was
// taken and put back in the meantime is not mistaken for an unchanged one.
#include "record/tags.h"

#include "os/os.h"

#include <errno.h>
#include <string.h>

#define UNIT       TAGS_UNIT
#define UNITS_MAX  (SLAB_BLOCKS_MAX * sizeof(struct tag) / UNIT)
#define STEP       (1 * MiB)
#define STEP_UNITS (STEP / UNIT)
#define STEPS_MAX  ((u64)UINT32_MAX / STEP_UNITS)
#define PLACES     16 // addresses to try for the arena

enum step_state { STEP_UNKNOWN = 0, STEP_MAPPED, STEP_TAKEN };

_Atomic u64 tags_arena;

static struct {
    _Atomic u64 next;                // unit
    _Atomic u64 free[UNITS_MAX + 1]; // by units: changes << 32 | index of the first
    _Atomic u8 steps[STEPS_MAX];     // enum step_state
} the;

// ---------------------------------------------------------------- the arena

// Where nothing grows: 64 GiB must stay free of others. If all places are taken, wherever the
// kernel likes.
static u64 choose_base(void)
{
    for (unsigned i = 0; i < PLACES; i++) {
        u64 at = os_place(100 + i) & ~(STEP - 1); // not where the heap went
        if (os_map_at((void *)(uintptr_t)at, STEP) == 0)
            return at;
    }
    return (u64)(uintptr_t)os_map(STEP);
}

static bool open_arena(void)
{
    u64 base = choose_base(), none = 0;
    if (base == 0)
        return false;
    // Release: with the state of the first step. Pairs with the acquire in map_steps.
    atomic_store_explicit(&the.steps[0], STEP_MAPPED, memory_order_relaxed);
    if (!atomic_compare_exchange_strong_explicit(&tags_arena, &none, base, memory_order_acq_rel,
                                                 memory_order_acquire))
        os_unmap((void *)(uintptr_t)base, STEP); // another thread was first
    return true;
}

static enum step_state map_step(u64 step)
{
    u8 state = atomic_load_explicit(&the.steps[step], memory_order_acquire);
    if (state != STEP_UNKNOWN)
        return state;
    u64 at = atomic_load_explicit(&tags_arena, memory_order_relaxed) + step * STEP;
    int r = os_map_at((void *)(uintptr_t)at, STEP);
    if (r == 0) {
        atomic_store_explicit(&the.steps[step], STEP_MAPPED, memory_order_release);
        return STEP_MAPPED;
    }
    // Two threads may come here at once. The loser is told that the place is taken and uses the
    // next step; the winner's word stands, so no one waits.
    u8 unknown = STEP_UNKNOWN;
    if (r == -EEXIST)
        atomic_compare_exchange_strong_explicit(&the.steps[step], &unknown, STEP_TAKEN,
                                                memory_order_relaxed, memory_order_relaxed);
    return r == -EEXIST ? STEP_TAKEN : STEP_UNKNOWN;
}

// `units` fresh units, not across a step that could not be mapped. 0 when there are none.
static u32 take_fresh(u64 units)
{
    if (atomic_load_explicit(&tags_arena, memory_order_acquire) == 0 && !open_arena())
        return 0;
    u64 next = atomic_load_explicit(&the.next, memory_order_relaxed);
    for (;;) {
        u64 from = next == 0 ? 1 : next; // index 0 says "none"
        u64 step = from / STEP_UNITS;
        if (step != (from + units - 1) / STEP_UNITS)
            from = ++step * STEP_UNITS;
        if (step >= STEPS_MAX)
            return 0;
        enum step_state state = map_step(step);
        if (state == STEP_UNKNOWN)
            return 0; // no memory
        u64 to = state == STEP_MAPPED ? from + units : (step + 1) * STEP_UNITS;
        if (!atomic_compare_exchange_strong_explicit(&the.next, &next, to, memory_order_relaxed,
                                                     memory_order_relaxed))
            continue; // `next` is what another thread has made of it
        if (state == STEP_MAPPED)
            return (u32)from;
        next = to;
    }
}

static _Atomic u64 *word(u32 index)
{
    u64 base = atomic_load_explicit(&tags_arena, memory_order_relaxed);
    return (_Atomic u64 *)(uintptr_t)(base + (u64)index * UNIT);
}

static u32 take_free(u64 units)
{
    _Atomic u64 *head = &the.free[units];
    u64 old = atomic_load_explicit(head, memory_order_acquire);
    while ((u32)old != 0) {
        // The array may be taken and written by another thread while we read its link: then the
        // link is nonsense, and the count in the head has changed.
        u64 link = atomic_load_explicit(word((u32)old), memory_order_relaxed);
        u64 new = ((old >> 32) + 1) << 32 | (u32)link;
        // Acquire: pairs with the release in give_back.
        if (atomic_compare_exchange_weak_explicit(head, &old, new, memory_order_acquire,
                                                  memory_order_acquire))
            return (u32)old;
    }
    return 0;
}

static void give_back(u32 index, u64 units)
{
    _Atomic u64 *head = &the.free[units];
    u64 old = atomic_load_explicit(head, memory_order_relaxed), new;
    do {
        atomic_store_explicit(word(index), (u32)old, memory_order_relaxed);
        new = ((old >> 32) + 1) << 32 | index;
    } while (!atomic_compare_exchange_weak_explicit(head, &old, new, memory_order_release,
                                                    memory_order_relaxed));
}

static u64 units_of(const struct desc *d)
{
    return d->kind == PAGE_SLAB ? (d->blocks * sizeof(struct tag) + UNIT - 1) / UNIT : 1;
}

static bool make_array(struct desc *d)
{
    u64 units = units_of(d);
    u32 index = take_free(units);
    if (index == 0) {
        index = take_fresh(units);
    } else {
        // The first word was a link, which a slower taker may be reading this moment.
        atomic_store_explicit(word(index), 0, memory_order_relaxed);
        memset((void *)(word(index) + 1), 0, units * UNIT - sizeof(u64));
    }
    d->tags = index;
    return index != 0;
}

void tags_gone(struct desc *d)
{
    assert(d->tags != 0);
    u32 index = d->tags;
    d->tags = 0;
    give_back(index, units_of(d));
}

u64 tags_base(void)
{
    if (atomic_load_explicit(&tags_arena, memory_order_acquire) == 0)
        open_arena();
    return atomic_load_explicit(&tags_arena, memory_order_acquire);
}

// ---------------------------------------------------------------- one block's tags

bool tags_find_any(const void *p, bool make, struct tags *ret)
{
    struct heap_block b;
    if (!heap_find(p, &b))
        return false;
    if (b.far != NULL) {
        *ret = (struct tags){(_Atomic u64 *)(void *)b.far->tag, true, b.size};
        return true;
    }
    if (b.desc->tags == 0 && (!make || !make_array(b.desc)))
        return false;
    *ret = (struct tags){word(b.desc->tags) + b.index, b.desc->kind == PAGE_LARGE, b.size};
    return true;
}

void tags_watch(const void *p)
{
    struct tags t;
    if (!tags_find(p, false, &t))
        return;
    struct tag tag = tags_unpack(atomic_load_explicit(&t.at[0], memory_order_relaxed));
    if (tag.site == 0)
        return;
    tag.watched = 1;
    atomic_store_explicit(&t.at[0], tags_pack(tag), memory_order_relaxed);
}
