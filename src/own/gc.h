// gc.h: the data model of a collected heap, and what must be true of it.
//
// Objects of one class and kind stand side by side in slabs, as malloc's blocks do; slabs are runs
// of pages cut from chunks, which are blocks of the heap below; a large object is a chunk of its
// own. All that is known about an object stands outside of it, in the tables of src/scan/blocks.h,
// which are kept up to date rather than copied, so a collection begins at once:
//
//     page[(p - base) >> 14] -> slab number -> slot = number * 1024 + index
//     free, left, live: bitmaps over slots
//
// A thread takes up to 64 objects at a time, as a window: their bits leave `free`. An object is
// handed out by clearing a bit of the window and nothing else, so at any instruction it is either
// still in the window or its address is in a register of the thread: there is no moment at which a
// stopped thread could lose one, and allocation needs no flag for it (docs/gc.md).
//
// G1  object i of slab s is handed out iff i >= first, i < blocks and its bit is neither in `free`
//     nor in the window of a cache.
// G2  a slab is in the list of its class and kind iff LISTED, and in exactly one window iff
// CURRENT. G3  page[].span != 0 iff the page belongs to that slab. G4  while nobody collects,
// `free` changes under the lock alone; it never changes while threads
//     are stopped.
// G5  a bit that is set in `left` after a mark is of an object that was handed out when the mark
//     began, and that nothing points to: slabs are given back only here, so its number still means
//     the same.
// Locks: the loader's (held by dl_iterate_phdr), the world's, a heap's, then the registry of
// owners.
#pragma once

#include "heap/class.h"
#include "heap/owner.h"
#include "os/os.h"
#include "os/twin.h"
#include "scan/mark.h"

#include <loam/gc.h>

#define GC_KINDS      64 // 0: every word may be a pointer; 1: leaf; then types
#define GC_SCAN       0
#define GC_LEAF       1
#define GC_SLOTS      1024 // slots a slab, whatever its class
#define GC_WORDS      (GC_SLOTS / 64)
#define GC_LARGE      CLASS_COUNT // as a class
#define GC_ZERO_EARLY 256         // objects up to this size are zeroed a window at a time
static_assert(SLAB_BLOCKS_MAX <= GC_SLOTS, "a slab of the smallest class");

enum gc_state { GC_NONE = 0, GC_FULL, GC_LISTED, GC_CURRENT };

struct gc_slab {
    u32 next;     // in its list, or of free numbers; 0 = end
    u16 blocks;   // objects
    u8 first;     // object 0 is never handed out if it begins its chunk: free() would take it
    u8 state;     // enum gc_state
    u8 cls, kind; // GC_LARGE: one object
    u16 pages;    // of a slab
    u32 copies;   // copies that had been made when its pages were last touched
    struct gc_chunk *chunk;
};

struct gc_chunk {
    struct gc_chunk *next, *prev;
    char *at;
    size_t bytes;
    u64 free[2]; // pages that no slab has; of a chunk of slabs
    bool large;
    bool full; // in the list of those without a free page
};

struct gc_window {
    u64 word;   // objects to hand out
    char *base; // object 0 of this word
    u32 size;   // bytes an object
    u32 slab;   // 0 = no window
    u32 at;     // next word of the slab to take
    u32 slot;   // of bit 0
};

// What one thread has of one heap. Never given back to the heap below, but used again.
struct gc_cache {
    loam_gc *_Atomic gc;              // NULL: free to be used for another one
    struct gc_cache *next;            // of this thread
    struct gc_cache *next_in_gc;      // of this heap
    uintptr_t thread;                 // its thread pointer
    struct gc_window *kind[GC_KINDS]; // [CLASS_COUNT] each; NULL until the first use
};

struct gc_type {
    u64 shape;
    u32 words; // 0 = no such type
};

struct gc_range {
    const char *start;
    size_t size;
    const loam_region *region; // instead
};

// Also for due finalizers. `hidden` is the complement of the pointer: no root by accident.
struct gc_weak {
    u64 hidden; // 0 = gone
    u32 generation;
    u32 next;   // free entries, +1
    bool fresh; // made since the copy that is searched
};

enum gc_final_state { GC_FINAL_FREE = 0, GC_FINAL_WATCH, GC_FINAL_DUE };
struct gc_final {
    u64 hidden;
    void (*fn)(void *p, void *arg);
    void *arg;
    u32 next; // free entries, +1
    u8 state;
    bool fresh; // as above
};

struct gc_table { // an array that grows, in mapped memory
    void *at;
    size_t count, room; // entries
};

// What a mark says, in memory of ours or shared with the copy that marks.
struct gc_verdict {
    u64 *left;  // over slots, G5
    u8 *weak;   // by entry: 1 = the object is gone
    u8 *final;  // by entry: 1 = it is due
    u64 *words; // looked at
    u64 *ns;    // it took
};

struct loam_gc {
    struct lock lock;
    loam_owner_link owner;
    const char *name, *place;
    loam_gc_options options;
    struct gc_chunk *chunks, *full; // those with free pages; the others
    struct blocks blocks;
    struct work *work; // room for every slot in use, M1
    size_t work_room;  // entries
    u64 *free;         // bitmap over slots
    u64 *left;         // of the same size
    struct gc_slab *slab;
    u32 slab_count, slab_room; // numbers used (0 never is); room for
    u32 slab_free;             // numbers that can be used again
    size_t slots_used;         // objects that there is room for
    u32 list[GC_KINDS][CLASS_COUNT];
    struct gc_type type[GC_KINDS];
    struct gc_cache *caches;
    struct gc_table roots, weak, final;
    u32 weak_free, final_free; // entry + 1
    size_t due, due_from;      // finalizers; none is due before this entry
    size_t used_max;
    struct gc_table modules; // writable segments, while collecting
    struct gc_table tls;     // thread-local blocks: `start` is the module's number
    struct gc_table judge;   // bytes of a verdict in place
    u32 regions;             // roots that are regions
    size_t held_chunks;
    size_t allocated;   // since the last collection, by windows
    u64 ns_per_kib;     // of what is live, for a search; smoothed
    u32 survival;       // percent of what was allocated before the last one
    size_t budget;      // allocated at which the next one is begun
    u32 holds, running; // loam_gc_hold; finalizers that run
    struct twin twin;
    char *shared; // memory of the copy's verdict
    size_t shared_bytes;
    struct gc_verdict verdict;    // that the twin works on
    size_t twin_weak, twin_final; // entries when it was made
    size_t twin_allocated;
    u32 twin_slabs;
    u32 copies;           // made so far
    size_t look_at;       // bytes allocated at which to look again whether it is done
    bool in_place;        // the last copy's verdict could not be used: do not try another one
    struct loam_gc *next; // all heaps
    loam_gc_stats stats;
};

static inline u64 gc_hide(const void *p)
{
    return ~(u64)(uintptr_t)p;
}
static inline void *gc_show(u64 hidden)
{
    return (void *)(uintptr_t)~hidden;
}
static inline u64 *gc_words(u64 *bitmap, u32 slab)
{
    return bitmap + (size_t)slab * GC_WORDS;
}
static inline u32 gc_slab_words(const struct gc_slab *s)
{
    return (s->blocks + 63u) / 64;
}
// Bits of objects in word w of a slab.
static inline u64 gc_valid(const struct gc_slab *s, u32 w)
{
    u32 left = s->blocks - w * 64;
    u64 bits = left >= 64 ? ~(u64)0 : ((u64)1 << left) - 1;
    return w == 0 && s->first ? bits & ~(u64)1 : bits;
}

// ---- gc.c
void gc_lock(loam_gc *gc);
void gc_unlock(loam_gc *gc);
void gc_world_lock(void); // one collection at a time
void gc_world_unlock(void);
// The object that p points into, handed out or on its way: its slab and slot. The lock is held.
bool gc_find(const loam_gc *gc, const void *p, u32 *ret_slab, u32 *ret_slot);
// Room for one more entry. 0 or -ENOMEM.
int gc_table_grow(struct gc_table *t, size_t size);
void gc_table_done(struct gc_table *t, size_t size);

// ---- gc_slab.c: chunks, slabs and their tables; the lock is held
u32 gc_slab_new(loam_gc *gc, unsigned kind, unsigned cls); // 0 on ENOMEM
u32 gc_slab_large(loam_gc *gc, unsigned kind, size_t size, size_t align);
void gc_slab_give(loam_gc *gc, u32 slab); // nothing in it is handed out
// Give back chunks in which nothing is, until no more than `keep` bytes are held.
void gc_slab_trim(loam_gc *gc, size_t keep);
void gc_slab_done(loam_gc *gc); // all of it
size_t gc_slab_held(const loam_gc *gc);

// ---- gc_cache.c: a thread's windows
// Calling thread's window, NULL on ENOMEM.
struct gc_window *gc_cache_window(loam_gc *gc, unsigned kind, unsigned cls);
void gc_cache_forget(loam_gc *gc); // all caches of it
void gc_cache_forked(loam_gc *gc); // caches of threads that are gone
void gc_cache_lock(bool take);     // also around fork

// ---- gc_roots.c
// Before threads are stopped: what the loader knows. 0 or -ENOMEM.
int gc_roots_modules(loam_gc *gc);
// All roots, with all other threads stopped. False when some could not be read.
bool gc_roots_mark(loam_gc *gc, struct mark *m, const void *sp);
void gc_roots_words(struct mark *m, const void *from, size_t bytes);

// ---- gc_final.c: weak references and finalizers
// After the roots were followed: what is gone, what is due, and what that keeps.
void gc_final_judge(loam_gc *gc, struct mark *m, const struct gc_verdict *v);
// Objects whose finalizers are due, and arguments of all.
void gc_final_roots(loam_gc *gc, struct mark *m);
// The verdict becomes true. The lock is held, threads may run.
void gc_final_apply(loam_gc *gc, const struct gc_verdict *v, size_t weak, size_t final);
void gc_final_settle(loam_gc *gc);

// ---- gc_collect.c
// A collection is due: begin one, or finish one, or go on. No lock is held.
void gc_collect_due(loam_gc *gc);
int gc_collect_now(loam_gc *gc);
void gc_collect_drop(loam_gc *gc); // end a search that is on
