// pins.h: fragmentation, blamed: whose few live blocks keep nearly empty slabs in RAM.
//
// A slab goes back to the kernel when its last block is freed. One that is less than half live
// costs more than it holds, and what it costs is shared out to the sites of its live blocks:
//
//     pinned  free bytes in RAM of such slabs, in proportion to the live bytes of each site there
//     freed   bytes in RAM of such slabs in which the site is alone: free if its blocks went
//
// Sites are known for programs under `loam run`; without, everything is blamed on site 0.
#pragma once

#include "target/space.h"

struct pin {
    u32 site;
    u64 blocks, bytes; // live, in such slabs
    u64 pinned, freed;
    u64 slabs; // such slabs that have a block of it
};

struct pins {
    struct pin *pin; // the largest `pinned` first
    size_t count;
    u64 slabs;    // less than half live, and not empty
    u64 resident; // bytes of theirs in RAM
    u64 live;     // of that, in live blocks
};

// From a space with blocks. 0 or -ENOMEM.
int pins_load(struct pins *p, const struct space *s);
void pins_done(struct pins *p);
