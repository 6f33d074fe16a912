// spans.h: the large blocks of a target that have tags, and nothing else of its heap.
#pragma once

#include "scan/target.h"

struct large {
    u64 start;
    u64 bytes; // that were asked for
    u64 tag;   // as the target stores it
};

// Call `each` for every large block with a tag; root and tags as for blocks_load. The target may
// run meanwhile: a block may then be missed, or told although it is gone. 0, -ENOMEM, -EBADMSG or
// what reading said.
int spans_large(struct target *t, u64 root, u64 tags,
                void (*each)(void *ctx, const struct large *l), void *ctx);
