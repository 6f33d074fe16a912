// keep.h: a copy on disk of a recording that is still being written.
//
// K1  what stands in the file is a whole recording after each single write, so that a tool killed
//     at any moment leaves a file that `loam report` reads: records go before the block head that
//     covers them, blocks before the header that counts them.
//     (While blocks move, because ended processes went to the archive, some may stand there twice.)
// K2  only pieces that differ from what was written last are written again.
#pragma once

#include "format/recording.h"

// The blocks of one volume, or of the archive.
struct keep_part {
    const char *blocks;
    u32 count;
    u32 add; // to the indices of its processes, which are unique in a volume only
};

#define KEEP_PARTS_MAX 16

// What is to be kept, in order: one recording for the reader.
struct keep_source {
    struct recording head; // its `blocks` is set by who writes it
    struct keep_part parts[KEEP_PARTS_MAX];
    u32 parts_count;
};

struct keep {
    int fd;       // -1: nothing is kept
    char *shadow; // what the file holds, touched as it is used; NULL: nothing to compare with
    int error;    // -errno of the last copy, 0 if it is whole
};

// Open `path` for a new recording. 0 or -errno; -EEXIST: it holds something that is no recording.
int keep_begin(struct keep *k, const char *path);
// Bring the file up to date. 0 or -errno; what could not be written is tried again next time.
int keep_copy(struct keep *k, const struct keep_source *s);
void keep_end(struct keep *k);
// Write the whole recording to `path` once. 0 or -errno.
int keep_once(const char *path, const struct keep_source *s);
// The whole recording in memory, to be freed. NULL on ENOMEM.
char *keep_image(const struct keep_source *s, size_t *ret_size);
