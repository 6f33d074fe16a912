// limit.h: a limit on memory that the kernel enforces by taking pages back: a cgroup.
//
// Only root may make one. It is written into the list of things to remove before it is made, and
// lies beside all others at the top, so that no other group's limits or processes are touched.
#pragma once

#include "lab/lab.h"

struct limit {
    char path[256];
};

// A group that may hold `bytes`. False, and the claims on `key` (NULL: all) say CANNOT, and why.
bool limit_make(struct lab *l, const char *key, u64 bytes, struct limit *ret);
// The calling process, which should be a child, goes into it: for good.
bool limit_enter(const struct limit *limit);
