// rows.c: from places to rows, and the choice of those that fit on a page.

#include "report/rows.h"

#include "report/prefetch.h"

#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
    if (p == NULL)
        die("loam: no memory for the report", NULL);
    return p;
}

static u64 nothing[GAUGES_MAX]; // never written

struct rows rows_of(struct model *m, struct symbols *symbols)
{
    prefetch(symbols, m);
    struct places all = places_merge(m, 0);
    struct rows rows = {.items = must(calloc(all.count + 1, sizeof *rows.items)),
                        .count = all.count};
    for (u32 i = 0; i < all.count; i++) {
        struct row *r = &rows.items[i];
        r->place = all.items[i];
        all.items[i]->number = i;
        r->symbols = symbols;
        r->before = nothing;
        for (u32 g = 0; g < gauges_count; g++) {
            r->after[g] = gauges[g].of(r->place);
            rows.after[g] += r->after[g];
        }
    }
    places_done(&all);
    return rows;
}

void rows_done(struct rows *r)
{
    free(r->items);
    *r = (struct rows){0};
}

struct by_gauge {
    const struct rows *rows;
    u32 gauge;
};

// Largest first; equal ones in their order in the recording, so that pages can be compared.
static int compare(const void *a, const void *b, void *by)
{
    const struct by_gauge *o = by;
    u32 x = *(const u32 *)a, y = *(const u32 *)b;
    u64 wx = row_weight(&o->rows->items[x], o->gauge);
    u64 wy = row_weight(&o->rows->items[y], o->gauge);
    return wx != wy ? (wx < wy ? 1 : -1) : (x > y) - (x < y);
}

// All row numbers, sorted by one gauge; how many have any of it comes back.
static u32 sorted(const struct rows *r, u32 gauge, u32 *out)
{
    u32 count = 0;
    for (u32 i = 0; i < r->count; i++) {
        if (row_weight(&r->items[i], gauge) != 0)
            out[count++] = i;
    }
    struct by_gauge by = {r, gauge};
    qsort_r(out, count, sizeof *out, compare, &by);
    return count;
}

u32 *rows_choose(const struct rows *r, u32 *ret_count)
{
    u32 *orders[GAUGES_MAX], counts[GAUGES_MAX], longest = 0, n = 0;
    for (u32 g = 0; g < gauges_count; g++) {
        orders[g] = must(malloc((r->count + 1) * sizeof **orders));
        counts[g] = sorted(r, g, orders[g]);
        longest = counts[g] > longest ? counts[g] : longest;
    }
    u32 *chosen = must(malloc((r->count + 1) * sizeof *chosen));
    bool *taken = must(calloc(r->count + 1, sizeof *taken));
    for (u32 rank = 0; rank < longest; rank++) {
        for (u32 g = 0; g < gauges_count; g++) {
            if (rank >= counts[g] || taken[orders[g][rank]])
                continue;
            taken[orders[g][rank]] = true;
            chosen[n++] = orders[g][rank];
        }
    }
    for (u32 g = 0; g < gauges_count; g++)
        free(orders[g]);
    free(taken);
    *ret_count = n;
    return chosen;
}
