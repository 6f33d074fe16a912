// top.h: what `loam top` knows between two looks: places, their rates and growth, a short history.
#pragma once

#include "cli/live.h"
#include "report/ink.h"
#include "report/place.h"
#include "report/stack.h"
#include "target/account.h"

enum top_sort { TOP_LIVE, TOP_GROWTH, TOP_CHURN, TOP_PEAK };

enum { TOP_HISTORY = 60 };

// One place as a row. Strings live in the current model.
struct top_row {
    const struct place *place;
    const char *function, *where;
    u64 key; // of its stack, the same from look to look
    u64 live, peak, blocks;
    int64_t growth; // live bytes against the first look
    double rate;    // allocations a second since the look before
};

struct top_seen {
    u64 key, first_live, allocs;
};

struct top_view {
    struct live live;
    enum top_sort sort;
    char filter[64];
    bool loaded;
    struct model model;      // of the last look
    struct symbols *symbols; // in its store
    struct places places;
    struct top_row *row;
    u32 rows_count, matching; // matching: those that the filter leaves, first
    struct top_seen *seen;    // sorted by key
    u32 seen_count;
    u64 looked_ns;            // CLOCK_MONOTONIC
    u64 allocs;               // of all, at the last look
    double rate;              // allocations a second, of all
    u64 history[TOP_HISTORY]; // live bytes of all, oldest first
    u32 history_count;
    struct account account; // of the process that was asked about
    bool accounted;
    bool ended;
};

bool top_sort_named(const char *name, enum top_sort *ret);
// Look again. 0, or -1 with a sentence; then the last look stands.
int top_look(struct top_view *t, char *why, size_t why_size);
// Order the rows anew, after the sort or the filter changed.
void top_order(struct top_view *t);
// The stack of a row, innermost first, cut for a reader. Lives in the model's store.
struct stack top_stack(struct top_view *t, const struct top_row *row);
void top_done(struct top_view *t);

// The header's words, which the screen and --once share.
void top_title(const struct top_view *t, char *out, size_t size);
void top_sums(const struct top_view *t, char *out, size_t size);
void top_rss(const struct top_view *t, char *out, size_t size, u32 width); // columns
// Regions, pools, collected heaps and tasks that there are; "" if there are none.
void top_owners(const struct top_view *t, char *out, size_t size);
// The whole picture as text, at most so many rows.
void top_print(struct top_view *t, struct ink *k, u32 rows);
// One row's columns before its name; `out` has 48 bytes.
void top_columns(const struct top_row *row, char out[48]);
#define TOP_COLUMNS "     LIVE    GROWTH   ALLOCS/s  "
