// moments.h: the tool's own records, moments and labels, as blocks of a recording.
//
// L1 to L3 in format/timeline.h. Moments and labels stand in blocks of different kinds, because
// moments are thinned out and labels are not. Blocks once begun are never given back, so that in a
// kept file everything only moves towards its end (K1).
#pragma once

#include "format/timeline.h"

struct moments_blocks {
    char *bytes;
    u32 count, room; // of blocks
    u32 last;        // the block that is filled; those behind it are empty
};

struct moments_slot { // a moment with room for its tops
    struct record_moment moment;
    struct record_top top[TOPS_MAX];
};

struct moments {
    struct moments_slot *slots; // MOMENTS_MAX of them
    u32 count;
    u64 interval_ns;             // between two of them, 0: not begun
    struct moments_blocks time;  // of slots
    struct moments_blocks names; // of labels
    u32 labels;
};

// Zeroed room for a record behind the others, or NULL without memory.
void *moments_put(struct moments_blocks *b, u32 kind, size_t bytes);
// Forget the records; the blocks stay, in the file as well.
void moments_empty(struct moments_blocks *b);

// Add a moment; the oldest come first. Without memory it is lost.
void moments_add(struct moments *m, const struct moments_slot *slot);
// Add a label, to be followed by its points; `label->len` bytes of text. 0, or -ENOSPC when there
// are LABELS_MAX, or -ENOMEM.
int moments_label(struct moments *m, const struct record_label *label, const char *text);
// The last label's points of one process. 0, -ENOSPC when labels take their share of room, -ENOMEM.
int moments_points(struct moments *m, u32 process, const struct record_point *points, u32 count);
// The last label has not got all of its points.
void moments_cut(struct moments *m);
void moments_done(struct moments *m);
