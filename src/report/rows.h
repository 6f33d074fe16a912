// rows.h: what a page shows a line for: a distinct stack and its gauges, once or before and after.
//
// A report has rows of one model. A diff has rows of two, in which the same stack means the same
// functions in the same modules: lines and offsets differ when the program was built anew.
#pragma once

#include "report/gauge.h"
#include "report/place.h"
#include "report/symbol.h"

struct row {
    const struct place *place; // whose stack stands for the row; the heaviest, the later one first
    struct symbols *symbols;   // that know it
    int node;                  // of a rest: see html.c
    u64 after[GAUGES_MAX];     // in the order of `gauges`
    u64 *before;               // the same; in a report zeros, which all rows share
};

struct rows {
    struct row *items;
    u32 count;
    u64 after[GAUGES_MAX], before[GAUGES_MAX]; // sums
};

// One model's rows, a row for each distinct stack: place->number is its row's. Places live in the
// model's store.
struct rows rows_of(struct model *m, struct symbols *symbols);
void rows_done(struct rows *r);

// How much of a gauge a row adds to what a reader sees: its value, or how much it grew or shrank.
static inline u64 row_weight(const struct row *r, u32 gauge)
{
    u64 a = r->after[gauge], b = r->before[gauge];
    return a > b ? a - b : b - a;
}

// The numbers of all rows that have something, in an array to be freed: by turns the largest of
// every gauge, so that the first thousand matter most. *ret_count says how many.
u32 *rows_choose(const struct rows *r, u32 *ret_count);
