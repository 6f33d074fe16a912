// arena.h: the heap's globals.
//
// All mutable globals of this layer stand in two structs: `arena` holds what the fast paths read
// on every call and hardly anybody writes; `the` holds the rest.
#pragma once

#include "heap/api.h"
#include "heap/class.h"
#include "heap/find.h"
#include "os/os.h"

// Pools of partly free slabs without an owner; those of classes that differ by a multiple of
// POOL_LOCKS share a lock.
#define POOL_LOCKS 8
struct pools {
    _Alignas(64) struct lock lock;
    u32 first[CLASS_COUNT / POOL_LOCKS];
};
static_assert(sizeof(struct pools) == 64, "a line: who takes a lock takes no other lock's line");

// Locks in order of rank; who holds one may take only later ones. A line each.
struct heap_global {
    _Alignas(64) struct lock heaps_lock; // making and retiring heaps
    struct pools pools[POOL_LOCKS];      // by class, see pool_of
    _Alignas(64) struct lock purge_lock; // page heap (pages.h): giving back,
    _Alignas(64) struct lock grow_lock;  // mapping more,
    _Alignas(64) struct lock pages_lock; // and which pages are free
    _Alignas(64) struct lock meta_lock;  // heap_meta
    _Alignas(64) const struct heap_ops *ops;
    struct heap *idle; // heaps without a thread, under heaps_lock
    u32 key_made;
    u32 key;            // pthread key whose destructor retires a thread's heap
    size_t os_page;     // the kernel's page size
    _Atomic u32 forked; // child of a fork: other threads' heaps are still to be repaired
    char *meta, *meta_end;
    struct heap *heaps[HEAPS_MAX + 1]; // by id
};
extern hidden_ struct heap_global the;

static inline struct pools *pool_of(unsigned cls)
{
    return &the.pools[cls % POOL_LOCKS];
}
static inline u32 *pool_list(unsigned cls) // under the lock of pool_of
{
    return &pool_of(cls)->first[cls / POOL_LOCKS];
}

// The fast pointer: this thread's heap, or `heap_none` (empty windows, owner of nothing) before
// its first call and for ever while ops are set. And the real one, which ops work on.
extern hidden_ thread_local_ struct heap *heap_fast;
extern hidden_ thread_local_ struct heap *heap_mine;
extern hidden_ struct heap heap_none;

static inline u64 state_make(u64 gen, u64 id, u64 flags)
{
    return gen << STATE_GEN_SHIFT | id << STATE_ID_SHIFT | flags;
}
static inline u32 state_gen(u64 word)
{
    return (u32)(word >> STATE_GEN_SHIFT);
}
static inline u32 state_id(u64 word)
{
    return (u32)((word & STATE_ID_MASK) >> STATE_ID_SHIFT);
}

// ---- pages.c: spans of pages

// Take `pages` pages aligned to `align` pages (a power of two). Returns the first page, 0 when the
// kernel refuses or the caller interrupted a holder of the lock. *ret_zero: all of it reads as 0.
u32 pages_take(size_t pages, size_t align, bool *ret_zero);
// Give pages back; their descriptors are PAGE_NONE already. `dirty`: they may have been written.
void pages_give(u32 first, size_t pages, bool dirty);
// A span of `pages` pages is about to move to the span that is taken next, or has: the heap holds
// its memory only once.
void pages_moving(size_t pages, bool about_to);
// Grow the span that ends before `first` by `pages`, if they are free.
bool pages_extend(u32 first, size_t pages);
// Return free dirty memory to the kernel until at most `keep` bytes of it are left. Returns the
// bytes returned.
size_t pages_trim(size_t keep);
// n pages more of slabs are empty and keep their memory. False: too much free memory is kept.
bool pages_idle(size_t n);
// Spans taken so far; only good for telling whether any was.
size_t pages_taken(void);
// Bytes by which the heap has grown past its recent peak since the last call.
size_t pages_growth(void);
// `n` OS pages inside live spans were given back, or (n < 0) are in use again.
void pages_holes(long n);
// Bytes of the arena: in live spans; free with memory behind them; inside live spans, given back;
// ever used; mapped.
struct pages_usage {
    size_t live, dirty, holes, top, mapped;
};
void pages_usage(struct pages_usage *ret);

// ---- slab.c, refill.c: slabs and windows; the owner's thread only, h busy

void slab_set_owner(u32 slab, struct heap *h); // of all its pages
u32 slab_new(struct heap *h, unsigned cls);    // 0 on ENOMEM
void slab_park(struct heap *h, u32 slab);      // a slab with little left to give leaves circulation
void slab_edge(struct heap *h, u32 slab);      // used has fallen to low: wake or release
void slab_adopt(struct heap *h, u32 slab);     // its state word was just won
void slab_unpool(struct heap *h, u32 slab);    // under the pool's lock
bool slab_from_pool(struct heap *h, unsigned cls); // into the list of partial ones; false: none
void slab_place(struct heap *h, u32 slab);         // in no list: into the one it belongs in
bool slab_release_idle(struct heap *h, u32 slab);  // false: a stranger is purging it just now
bool slab_make_current(struct heap *h, u32 slab);  // false: a stranger is purging it just now
// Thread exit: release, park or pool a slab that is in no list. False: a stranger is at work on it,
// it is still h's, asleep.
bool slab_disown(struct heap *h, u32 slab);
void slab_link(u32 *list, u32 slab);
void slab_unlink(u32 *list, u32 slab);
void *heap_refill(struct heap *h, unsigned cls); // a block; NULL with errno ENOMEM
void window_close(struct heap *h, unsigned cls); // give the window's blocks back to its slab

// ---- sample.c: one block in so many bytes

// Out of line: is the next block of this class a sample? It is counted as allocated.
bool sample_now(struct heap *h, unsigned cls);
static inline bool sample_due(struct heap *h, unsigned cls)
{
    return arena_sampled() && sample_now(h, cls);
}
// Of the blocks `x` that a window could have, those before the next sample.
u64 sample_cut(struct heap *h, unsigned cls, u64 x);
// A sample of a small class: a span of its own. NULL on ENOMEM.
void *sample_alloc(unsigned cls, size_t size, size_t align, bool zero);
// A large block was allocated, or has another size: it may be a sample.
void sample_large(void *p, size_t size);
// A large block is about to be freed, or its size was `capacity` until now.
void sample_freed(u32 span, void *p, size_t capacity);
// What a large block can hold for its user.
static inline size_t large_usable(const struct desc *d)
{
    return likely(d->cls == 0) ? d->bytes : class_info[d->cls - 1].size;
}
// A span with tags dies.
void span_tags_gone(struct desc *d);

// ---- holes.c: memory inside sparse slabs

// The heap grows past its recent peak by so many bytes: rather release idle slabs, and give back
// holes of sparse ones.
void holes_give(struct heap *h, size_t bytes);
// The slab is used again or goes: its holes count no more.
void holes_forget(u32 slab);

// ---- idle.c: empty slabs that stay with their class

// May this empty slab, which is in no list, stay? Then it is in one.
bool idle_keep(struct heap *h, u32 slab);
// The slab leaves the list of idle ones, if it was in it.
void idle_leave(u32 slab);
// Release h's idle slabs until so many bytes are free. Returns how many are.
size_t idle_give(struct heap *h, size_t bytes);

// ---- alloc.c: a block of h's own slab; the heap is busy

void heap_free_owned(struct heap *h, struct desc *d, u32 slab, u32 index, void *p);

// ---- remote.c: frees by strangers

void remote_free(struct heap *h, u32 slab, u32 index, void *p);
void remote_collect(struct heap *h, u32 slab);
void remote_drain(struct heap *h);
// Give an idle slab's memory back, whoever owns it. False: it is not idle, or not now.
bool remote_purge(u32 slab);
bool remote_piled(const struct heap *h); // strangers' frees pile up

// ---- thread.c: heaps come and go with threads

void heap_put(struct heap *h); // to the heaps that wait for a thread

// ---- fork.c

// In a forked child, at its first slow path, before anything is believed of other heaps. `h` is
// the forking thread's heap, busy.
void fork_repair(struct heap *h);
static inline void fork_check(struct heap *h)
{
    if (unlikely(atomic_load_explicit(&the.forked, memory_order_relaxed)) && h == heap_mine)
        fork_repair(h);
}

// ---- large.c: blocks that are spans of their own; far.c: blocks outside the arena

void *large_alloc(size_t size, size_t align, bool zero);
void large_free(u32 span, void *p);
void *large_resize(u32 span, void *p, size_t size); // in place or by remapping, else NULL
void large_mend(u32 span); // fork: its tails as they should be, whatever stands there
void *far_alloc(size_t size, size_t align);
bool far_free(void *p); // false: no such block
struct far_block *far_find(const void *p);
