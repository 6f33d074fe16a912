// known.h: from the hash of a stack to its site.
//
// A table of lines: four stacks share a cache line, so a stack that is known costs one miss, and no
// branch that is hard to guess. Finding takes no lock; adding is done under the lock of sites.h.
//
// T3  a place in a line is empty or complete; it never changes back. Lines fill from their first
//     place on, and what finds its line full goes to the next one.
#pragma once

#include "base/base.h"

#include <stdatomic.h>

#define KNOWN_LINE 4

struct known_line {
    _Atomic u64 hash[KNOWN_LINE]; // 0: empty; stored last, with release
    u32 place[KNOWN_LINE];        // of the site, see writer_place
    u32 id[KNOWN_LINE];           // of the site: who counts need not look at its first cache line
};
static_assert(sizeof(struct known_line) == 64, "one cache line");

struct known_table {
    size_t mask; // lines, less one
    size_t count;
    struct known_line lines[] aligned_(64);
};

struct known {
    u32 place, id;
};

extern hidden_ _Atomic(struct known_table *) known_table;

// False if no site has that hash, which is not 0.
static always_inline_ bool known_find(u64 hash, struct known *ret)
{
    // Acquire: pairs with the release in known_room.
    struct known_table *t = atomic_load_explicit(&known_table, memory_order_acquire);
    for (size_t i = hash >> 20;; i++) {
        struct known_line *l = &t->lines[i & t->mask];
        // Acquire: pairs with the release in known_add. One at most is it; which one is not
        // guessed.
        unsigned n = (unsigned)(atomic_load_explicit(&l->hash[1], memory_order_acquire) == hash);
        n |= (unsigned)(atomic_load_explicit(&l->hash[2], memory_order_acquire) == hash) << 1;
        n |= -(unsigned)(atomic_load_explicit(&l->hash[3], memory_order_acquire) == hash) & 3;
        if (likely(atomic_load_explicit(&l->hash[n], memory_order_acquire) == hash)) {
            *ret = (struct known){l->place[n], l->id[n]};
            return true;
        }
        if (atomic_load_explicit(&l->hash[KNOWN_LINE - 1], memory_order_relaxed) == 0)
            return false;
    }
}

// A new process: forget all. False without memory.
bool known_begin(void);
// Make sure that there is room for one more. False without memory.
bool known_room(void);
void known_add(u64 hash, struct known k);
