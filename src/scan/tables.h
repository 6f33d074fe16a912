// tables.h: reading the heap's tables from a target that may be broken or hostile.
//
// Everything that crosses from the target into struct blocks passes through here and is checked
// here (B3), so that the mark may index without looking.
#pragma once

#include "scan/blocks.h"

// The plain copy of a struct heap_root, checked.
struct root {
    u64 base, pages;
    u64 desc, side, remote;
    u64 heaps, heaps_count;
    u64 far, far_count;
    u64 chunks, owners;
};

// 0, -EBADMSG or what the target's read said.
int tables_root(struct target *t, u64 at, struct root *ret_root);
// Fill b->span, b->page_span and the slot numbers.
int tables_spans(struct blocks *b, const struct root *r);
// Fill b->live and b->busy.
int tables_live(struct blocks *b, const struct root *r);
// Fill b->tag and span.asked.
int tables_tags(struct blocks *b, u64 tags);

// Call `each` with every heap's first `bytes` bytes, at most sizeof(struct heap).
int tables_heaps(struct target *t, const struct root *r, size_t bytes,
                 int (*each)(void *ctx, const void *heap), void *ctx);
