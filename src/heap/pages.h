// pages.h: the page heap's state, shared by pages.c (which pages) and arena.c (where they come
// from).
#pragma once

#include "heap/arena.h"

// Three locks, in this order. None of them is waited for by who holds a later one.
//
// purge_lock  one thread gives memory back at a time. It takes a run of dirty pages out of `free`
//             and `dirty` as if it were live, lets go of pages_lock, calls the kernel, and puts the
//             run back: clean, or dirty if the kernel refused. Others that find too much dirty only
//             say so in `wanted`, and who holds purge_lock goes on until nobody wants more.
// grow_lock   one thread maps more of the arena at a time.
// pages_lock  all of this struct but for what is atomic. No system call is made under it.
//
// P4  air_count pages from air_first on are in the air: in neither map, in no span, and put back by
//     who holds purge_lock. They count as dirty until then.
// P5  `mapped` and the tables change under grow_lock alone, `mapped` under pages_lock as well.
// P6  wanted != SIZE_MAX: somebody holds purge_lock and will see it, or is about to try for it; but
//     if a handler forked meanwhile, it may be the next who takes or gives pages that does.
// P7  idle counts the pages of idle slabs that have memory, or more after a fork (idle.c).
struct pages {
    u64 *free;                              // bitmap: no span has this page
    u64 *dirty;                             // bitmap: free, but holds memory
    size_t top;                             // first page that was never part of a span
    size_t mapped;                          // P5; top <= mapped
    size_t live;                            // pages of live spans
    size_t dirty_count;                     // P2
    size_t air_first, air_count;            // P4
    size_t wanted;                          // P6: dirty pages that may stay
    size_t low_free, low_dirty, high_dirty; // P3
    size_t fail_size;                       // no run of so many pages is free below top
    size_t peak;                            // decaying maximum of live
    size_t refault;                         // decaying count of purged pages that were needed again
    size_t refused_at;                      // dirty pages below which purging was in vain
    size_t held_max;                        // decaying maximum of live + dirty
    size_t takes;                           // spans taken, the clock of the peak's decay
    size_t turnover;                        // pages taken since the others decayed
    bool grew;                              // held_max follows when the purge is done
    _Atomic size_t growth;                  // pages past held_max that nobody has made up for
    _Atomic long idle;                      // pages of empty slabs with memory (idle.c)
    _Atomic long holes;                     // OS pages of live spans that were given back
    _Atomic u32 deferred; // spans to be given when the lock is free; linked by state.next
};
extern hidden_ struct pages pages;

// Less than none when a thread vanished while it counted (fork.c).
static inline size_t pages_idle_count(void)
{
    long n = atomic_load_explicit(&pages.idle, memory_order_relaxed);
    return n > 0 ? (size_t)n : 0;
}

// arena.c: map up to page `end`, and choose the arena's place before the first time; under
// grow_lock. 0: it is mapped; -EAGAIN: a place was taken, pages.top has moved past it; -ENOMEM.
int arena_grow(size_t end);
void pages_lower_hints(size_t first);
// purge_lock was held for something else, and has been given: did anybody want a purge (P6)?
void pages_settle(void);
// In a forked child that could not have pages_lock, or purge_lock: make the bitmaps and the counts
// right again; and put back what was in the air.
void pages_mend(void);
void pages_land(void);
