// coldfile.h: a file of random bytes that lies on a disk, and of which nothing is in memory.
#pragma once

#include "lab/lab.h"

// Make it in the experiment's folder, write it out and drop its pages. Returns its descriptor; or
// -1, and the claims on `key` (NULL: all) say CANNOT, and why: no folder, no room, a file system
// that is memory itself.
int coldfile_make(struct lab *l, const char *key, u64 bytes);
// Drop what is in memory of it. False if something stays.
bool coldfile_drop(int fd, u64 bytes);
