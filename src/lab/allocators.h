// allocators.h: the allocators that an experiment of chapter C can compare: libc's, loam's, and of
// Debian's jemalloc, mimalloc and tcmalloc those that are installed.
//
// A peer is opened beside libc, not preloaded, and its functions are called by address: one process
// can then time several in turn. What it does to a whole process (its peak) is measured in a child.
#pragma once

#include "lab/lab.h"

struct allocator {
    const char *name;
    void *(*take)(size_t size);
    void (*give)(void *p);
    void (*trim)(void); // give free memory back, as far as it has a call for that; NULL: none
};

enum { ALLOCATORS_MAX = 5 };

// Those that are here, libc's first, loam's second. Returns how many.
u32 allocators_find(struct allocator found[ALLOCATORS_MAX]);

// jemalloc wants more thread-local room than libc keeps for libraries that come late, and only an
// environment variable at a process's start makes it larger: run this program again with it, as
// `loam lab` with `words` (NULL-terminated). Returns in the second one, where the variable is
// removed again, and where the variable is the user's or nothing can be run: then a peer is
// missing.
void allocators_make_room(char *const words[]);
// Resident bytes of this process: what a heap holds, to within some dozens of pages (pages.h).
u64 allocators_resident(void);
