// archive.h: what stays of recorded processes that have ended, when room is short.
//
// A compiler has ten thousand sites, and a build has thousands of compilers. Of a process that has
// ended the reader wants to know its totals, each place that leaked, and the places that mattered;
// the many small rest is added up as "other". An archive holds blocks as a recording has them, but
// several processes share a block (F7).
#pragma once

#include "format/recording.h"

#define ARCHIVE_SITES 64 // kept of each process besides those that leaked

struct archive {
    char *blocks;
    u32 count, room;
    u32 processes; // that lost sites
};

// Add the processes of a recording of which `used` bytes are in use; `add` is added to their
// indices. 0 or -errno; then the archive is as it was.
int archive_add(struct archive *a, const struct recording *r, size_t used, u32 add);
// Put the blocks of `other` behind those of `a`. 0 or -ENOMEM.
int archive_append(struct archive *a, const struct archive *other);
void archive_done(struct archive *a);
