// diff.h: two recordings, or two labels of one, set against each other.
//
//     struct diff d;
//     diff_files(&d, &before, &after, PLACE_DEPTH);
//     u32 count, *grown = diff_sorted(&d, gauge, true, &count);
//     …
//     diff_done(&d);
//
// The same place in both is where the same functions of the same modules called each other: a
// program that was built anew has other lines and offsets. Between two labels only what is live
// and what was allocated is known.
#pragma once

#include "report/rows.h"

struct diff {
    struct model *before, *after; // one and the same between labels
    struct symbols *symbols[2];   // of before and after
    struct rows rows;
    bool known[GAUGES_MAX]; // gauges that both sides know, and one has anything of
    bool labels;
    const char *from, *to; // labels: their names, "the start", "the end"
    u64 from_ns, to_ns;    // labels: when
    u32 room;
    struct table by_key;
    struct store values; // of rows.before
};

// `depth`: how many innermost functions must agree; 0: all. The models must outlive the diff.
void diff_files(struct diff *d, struct model *before, struct model *after, u32 depth);
// Labels by their names; NULL: the start, or the end. 0, or -1 with a sentence in `why`.
int diff_labels(struct diff *d, struct model *m, const char *from, const char *to, u32 depth,
                char *why, size_t why_size);
void diff_done(struct diff *d);

// The gauge that tells most when nobody chooses: what is live between labels, else the peak.
u32 diff_gauge(const struct diff *d);

// Numbers of the rows that grew (or shrank) by a gauge, most first, in an array to be freed.
u32 *diff_sorted(const struct diff *d, u32 gauge, bool grown, u32 *ret_count);

// How many of the first rows of diff_sorted grew by more than `bytes`.
u32 diff_over(const struct diff *d, u32 gauge, const u32 *grown, u32 count, u64 bytes);
