// peers.h: the allocators that are compared: libc's own, loam, and those that are found here.
#pragma once

#include "base/base.h"

#include <limits.h>

enum { PEERS_MAX = 32 };

struct peer {
    char name[32];
    char path[PATH_MAX]; // resolved; "": nothing is preloaded
};

struct peers {
    struct peer peer[PEERS_MAX];
    u32 count;
};

// glibc, loam if its library is beside the tool, and Debian's packages that are installed; then
// `extra`, "name=/path/lib.so,name=...", may be NULL. With `only`, "name,name", those alone.
// 0, or -1 with a sentence in `why`.
int peers_find(struct peers *p, const char *extra, const char *only, char *why, size_t why_size);
