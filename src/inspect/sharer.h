// sharer.h: who else maps a frame.
//
// The kernel counts how often a frame is mapped, but not by whom. So everybody is asked: at the
// same address, where a child of fork has it, and where others map the same page of the same file.
// Needs frame numbers, so root.
#pragma once

#include "target/residence.h"

#include <sys/types.h>

struct sharer {
    pid_t pid;
    u64 addr;
    char name[64]; // of the process, fit for a terminal
};

struct sharers {
    struct sharer *sharer;
    size_t count;
    u32 unreadable; // processes that could not be asked
};

// Who maps frame `frame`, which process `pid` has at `addr` by mapping `map`. 0 or -ENOMEM.
int sharers_find(struct sharers *s, pid_t pid, const struct map *map, u64 addr, u64 frame);
void sharers_done(struct sharers *s);
