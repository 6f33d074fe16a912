// owners.h: the named owners of another process: regions, pools, collected heaps, tasks; who cuts
// loam's blocks into objects of its own, and where its memory lies.
//
// Read from the registry (heap/owner.h) while the process goes on, so a list may be torn: what
// makes no sense ends that list, and nothing of it is trusted.
#pragma once

#include "scan/target.h"

#define OWNED_TEXT  96
#define OWNED_AREAS 64

struct owned {
    char kind[16];          // "region", "pool", "gc", "tasks", "task"
    char name[OWNED_TEXT];  // as its maker called it; anything may stand in it
    char place[OWNED_TEXT]; // file:line where it was made, "" if it is not told
    u64 held, used;         // bytes
    u64 used_max, resets;
    u64 pause_max_ns; // of a collected heap
    u64 object;       // bytes of each object, if all are alike; else 0
};

struct owned_range {
    u64 start, end;
    u32 owner;  // index
    bool stack; // of a task: no block of the heap
};

struct owners {
    struct owned *owned;
    size_t count, room;
    struct owned_range *range; // in order of address
    size_t range_count, range_room;
    struct owned_range area[OWNED_AREAS]; // stacks of all tasks of a run, with their guards
    u32 area_count;
};

// What stands behind the heap root at `root`. 0 or -ENOMEM; a registry that cannot be read is
// empty.
int owners_load(struct owners *o, struct target *t, u64 root);
void owners_done(struct owners *o);
// Whose the memory at an address is; NULL if nobody's. *ret_offset: in its object, or
// in its piece of memory.
const struct owned *owners_find(const struct owners *o, u64 addr, u64 *ret_offset);
