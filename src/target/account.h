// account.h: the closed account of a process's RSS: what every resident byte is for.
//
//     RSS  =  live blocks + size-class waste + free but dirty + metadata
//             + thread stacks + file pages + other mappings
//
// On loam's heap, the heap's own tables say which resident bytes hold live blocks. The process is
// not stopped: what it does while it is read makes the account differ from smaps by as much as it
// allocated in those milliseconds. Off loam's heap the blocks are not known: all of a foreign
// heap's memory counts as other mappings.
//
// E1  every resident page counts once, so the parts add up to `rss` exactly; `rss` is the sum of
//     the states of space.h, which is smaps' sum of a process that stands still.
#pragma once

#include "format/account.h"
#include "target/space.h"

extern const char *const account_names[ACCOUNT_PARTS]; // for people
extern const char *const account_keys[ACCOUNT_PARTS];  // for machines

struct account_class {
    u64 size;              // bytes a block; 0: all larger blocks together
    u64 slabs, room, live; // slabs; blocks in them; live ones
    u64 resident;          // bytes in RAM of the slabs
    u64 live_bytes;        // of that, of live blocks
};

// Named owners of memory, which is part of the live blocks (a task's: of the stacks).
enum account_owner { OWNER_REGION, OWNER_POOL, OWNER_GC, OWNER_TASK, OWNER_KINDS };
extern const char *const account_owner_names[OWNER_KINDS];
struct account_owned {
    u64 count, held; // bytes; of a task, its stack's addresses
    u64 resets;      // of all
    u64 pause_max_ns;
};

struct account {
    u64 rss;
    u64 part[ACCOUNT_PARTS]; // E1
    bool heap;               // the process is on loam's heap, and it could be read
    bool asked;              // sizes that were asked for are known: the waste is told
    u64 live_blocks;
    u64 live_bytes;                            // of all live blocks, touched or not
    struct account_class cls[CLASS_COUNT + 1]; // those that exist, smallest first
    u32 cls_count;
    u64 slack; // free bytes in slabs that have live blocks: fragmentation
    struct account_owned owned[OWNER_KINDS];
};

// From a space that was loaded with SPACE_BLOCKS.
void account_make(struct account *a, const struct space *s);
// Load and make. 0 or -errno, as space_load.
int account_load(struct account *a, pid_t pid);
