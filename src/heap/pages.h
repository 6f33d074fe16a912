// pages.h: the page heap's state, shared by pages.c (which pages) and arena.c (where they come
// from).
#pragma once

#include "heap/arena.h"

// All under the.pages_lock, but for `deferred`.
struct pages {
    u64 *free;                              // bitmap: no span has this page
    u64 *dirty;                             // bitmap: free, but holds memory
    size_t top;                             // first page that was never part of a span
    size_t mapped;                          // pages mapped so far; top <= mapped
    size_t live;                            // pages of live spans
    size_t dirty_count;                     // P2
    size_t low_free, low_dirty, high_dirty; // P3
    size_t fail_size;                       // no run of so many pages is free below top
    size_t peak;                            // decaying maximum of live
    size_t refault;                         // decaying count of purged pages that were needed again
    size_t refused_at;                      // dirty pages below which purging was in vain
    size_t held_max;                        // decaying maximum of live + dirty
    size_t takes;                           // spans taken, the clock of the peak's decay
    size_t turnover;                        // pages taken since the others decayed
    _Atomic size_t growth;                  // pages past held_max that nobody has made up for
    _Atomic long holes;                     // OS pages of live spans that were given back
    _Atomic u32 deferred; // spans to be given when the lock is free; linked by state.next
};
extern hidden_ struct pages pages;

// arena.c: choose the arena's place and map its first step. False when nothing can be mapped.
bool arena_init(void);
// Map up to page `end`. 0; -EAGAIN: a place was taken, pages.top has moved past it; -ENOMEM.
int arena_grow(size_t end);
void pages_lower_hints(size_t first);
