// resident.h: how much of a file is in memory, for one process that maps it.
#pragma once

#include "inspect/facts.h"

#include <sys/types.h>

struct resident {
    pid_t pid;
    char command[64];
    u64 base;                           // added to the file's addresses
    u64 size, present, copied, swapped; // bytes of its mappings: all, in memory, own copies
};

// Look at the mappings of `im` in process `pid` and fill `resident`, `copied` and `swapped` of the
// segments. 0, or -1 with a sentence.
int resident_load(struct resident *r, struct facts *f, const struct image *im, pid_t pid,
                  char why[IMAGE_WHY]);
