// keep.h: a copy on disk of a recording that is still being written.
//
// K1  what stands in the file is a whole recording after each single write, so that a tool killed
//     at any moment leaves a file that `loam report` reads: records go before the block head that
//     covers them, blocks before the header that counts them.
// K2  only pieces that differ from what was written last are written again.
#pragma once

#include "format/recording.h"

struct keep {
    int fd;       // -1: nothing is kept
    char *shadow; // what the file holds, as large as a recording can be, touched as it is used;
                  // NULL: written once, so nothing to compare with
    int error;    // -errno of the last copy, 0 if it is whole
};

// Open `path` for a new recording. 0 or -errno; -EEXIST: it holds something that is no recording.
int keep_begin(struct keep *k, const char *path);
// Bring the file up to date with the first `used` bytes, the header and whole blocks. 0 or -errno;
// what could not be written is tried again next time.
int keep_copy(struct keep *k, struct recording *r, size_t used);
void keep_end(struct keep *k);
// Write the whole recording to `path` once. 0 or -errno.
int keep_once(const char *path, struct recording *r, size_t used);
