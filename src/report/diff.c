// diff.c: both sides' places fall into the same rows, by a hash over the names of their functions.

#include "report/diff.h"

#include "report/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEFORE 0
#define AFTER  1

static struct row *row_new(struct diff *d)
{
    struct rows *r = &d->rows;
    if (r->count == d->room) {
        d->room = d->room == 0 ? 256 : 2 * d->room;
        r->items = realloc(r->items, d->room * sizeof *r->items);
        if (r->items == NULL)
            die("loam: no memory for the report", NULL);
    }
    u64 *before = store_push(&d->values, GAUGES_MAX * sizeof *before);
    r->items[r->count] = (struct row){.before = before};
    return &r->items[r->count++];
}

// Two different stacks with one key would be one row; of a million stacks, one pair in 30 million
// recordings.
static u64 stack_key(struct store *lines, struct symbols *symbols, const struct site *site,
                     u32 depth)
{
    struct stack s = stack_cut(symbols, lines, site, STACK_FOLDED);
    u64 key = site->other;
    for (u32 i = 0; i < s.lines_count && (depth == 0 || i < depth); i++) {
        const struct stack_line *l = &s.lines[i];
        key = table_mix(key, table_hash(l->symbol->function));
        key = table_mix(key, l->module == NULL ? 0 : table_hash(l->module->name));
    }
    store_clear(lines);
    return key;
}

static struct row *row_of(struct diff *d, u64 key)
{
    uintptr_t known = (uintptr_t)table_get(&d->by_key, key);
    if (known != 0)
        return &d->rows.items[known - 1];
    struct row *r = row_new(d);
    table_put(&d->by_key, key, (void *)(uintptr_t)d->rows.count);
    return r;
}

static u64 weight(const struct place *p)
{
    return p->live.bytes + p->at_peak + p->alloc_bytes / 16;
}

static void add_place(struct diff *d, int side, u64 key, const struct place *p)
{
    struct row *r = row_of(d, key);
    u64 *of = side == AFTER ? r->after : r->before;
    u64 *sums = side == AFTER ? d->rows.after : d->rows.before;
    for (u32 g = 0; g < gauges_count; g++) {
        u64 value = gauges[g].of(p);
        of[g] += value;
        sums[g] += value;
    }
    // The later side's heaviest stack stands for all: its lines are those of today's sources.
    bool later = r->place == NULL || (side == AFTER && r->symbols != d->symbols[AFTER]);
    if (later || (r->symbols == d->symbols[side] && weight(p) > weight(r->place))) {
        r->place = p;
        r->symbols = d->symbols[side];
    }
}

static void find_known(struct diff *d, const bool *possible)
{
    for (u32 g = 0; g < gauges_count; g++)
        d->known[g] = possible[g] && (d->rows.before[g] != 0 || d->rows.after[g] != 0);
}

// ---------------------------------------------------------------- two recordings

static void add_model(struct diff *d, int side, struct model *m, u32 depth)
{
    struct store lines = {0};
    struct places all = places_merge(m, 0);
    for (u32 i = 0; i < all.count; i++) {
        u64 key = stack_key(&lines, d->symbols[side], all.items[i]->sample, depth);
        add_place(d, side, key, all.items[i]);
    }
    places_done(&all);
    store_done(&lines);
}

void diff_files(struct diff *d, struct model *before, struct model *after, u32 depth)
{
    *d = (struct diff){.before = before, .after = after};
    d->symbols[BEFORE] = symbols_new(&before->store);
    d->symbols[AFTER] = symbols_new(&after->store);
    add_model(d, BEFORE, before, depth);
    add_model(d, AFTER, after, depth);
    bool scanned = totals_of(before).scanned > 0 && totals_of(after).scanned > 0;
    bool possible[GAUGES_MAX];
    for (u32 g = 0; g < gauges_count; g++)
        possible[g] = scanned || !gauges[g].scanned;
    find_known(d, possible);
}

// ---------------------------------------------------------------- two labels

// What every site stood at: live at the label itself, allocations at the last label that tells.
struct standing {
    struct amount live;
    u64 allocs, alloc_bytes;
};

static const struct label *label_named(const struct model *m, const char *name)
{
    for (u32 i = m->labels_count; i-- > 0;) {
        if (strcmp(m->labels[i].name, name) == 0)
            return &m->labels[i];
    }
    return NULL;
}

static struct standing *at_end(const struct model *m, struct standing *all)
{
    for (u32 i = 0; i < m->sites_count; i++) {
        const struct site *s = &m->sites[i];
        bool gone = (s->process->flags & PROCESS_EXECED) != 0;
        all[i] = (struct standing){gone ? (struct amount){0} : s->live, s->allocs, s->alloc_bytes};
    }
    return all;
}

// label NULL: the start, when nothing was there, or the end.
static struct standing *standing_at(const struct model *m, const struct label *label, bool end)
{
    struct standing *all = calloc(m->sites_count + 1, sizeof *all);
    if (all == NULL)
        die("loam: no memory for the report", NULL);
    if (label == NULL)
        return end ? at_end(m, all) : all;
    for (const struct label *l = m->labels; l <= label; l++) {
        for (u32 i = 0; i < l->points_count; i++) {
            const struct point *p = &l->points[i];
            if (p->site == NULL)
                continue;
            struct standing *s = &all[p->site - m->sites];
            s->allocs = p->allocs;
            s->alloc_bytes = p->alloc_bytes;
            if (l == label)
                s->live = p->live;
        }
    }
    return all;
}

static const struct churn unknown;

static void add_standing(struct diff *d, int side, struct model *m, const struct standing *all,
                         u32 depth)
{
    struct store lines = {0};
    for (u32 i = 0; i < m->sites_count; i++) {
        if (all[i].live.blocks == 0 && all[i].live.bytes == 0 && all[i].allocs == 0)
            continue;
        struct place *p = store_push(&m->store, sizeof *p);
        p->sample = &m->sites[i];
        p->churn = &unknown;
        p->live = all[i].live;
        p->allocs = all[i].allocs;
        p->alloc_bytes = all[i].alloc_bytes;
        add_place(d, side, stack_key(&lines, d->symbols[side], p->sample, depth), p);
    }
    store_done(&lines);
}

static int no_label(const struct model *m, const char *name, char *why, size_t size)
{
    int n = snprintf(why, size, "there is no label \"%s\" in it; there %s", name,
                     m->labels_count == 0   ? "are none"
                     : m->labels_count == 1 ? "is"
                                            : "are");
    for (u32 i = 0; i < m->labels_count && n > 0 && (size_t)n < size; i++)
        n += snprintf(why + n, size - (size_t)n, "%s \"%s\"", i > 0 ? "," : "", m->labels[i].name);
    return -1;
}

int diff_labels(struct diff *d, struct model *m, const char *from, const char *to, u32 depth,
                char *why, size_t why_size)
{
    const struct label *a = from == NULL ? NULL : label_named(m, from);
    const struct label *b = to == NULL ? NULL : label_named(m, to);
    if (from != NULL && a == NULL)
        return no_label(m, from, why, why_size);
    if (to != NULL && b == NULL)
        return no_label(m, to, why, why_size);
    *d = (struct diff){.before = m, .after = m, .labels = true};
    d->from = a == NULL ? "the start" : a->name;
    d->to = b == NULL ? "the end" : b->name;
    d->from_ns = a == NULL ? 0 : a->moment.at_ns;
    d->to_ns = b != NULL                     ? b->moment.at_ns
               : m->ended_ns > m->started_ns ? m->ended_ns - m->started_ns
                                             : 0;
    d->symbols[BEFORE] = d->symbols[AFTER] = symbols_new(&m->store);
    struct standing *before = standing_at(m, a, false), *after = standing_at(m, b, true);
    add_standing(d, BEFORE, m, before, depth);
    add_standing(d, AFTER, m, after, depth);
    free(before);
    free(after);
    bool possible[GAUGES_MAX];
    for (u32 g = 0; g < gauges_count; g++)
        possible[g] = gauges[g].labels;
    find_known(d, possible);
    return 0;
}

// ---------------------------------------------------------------- asking

void diff_done(struct diff *d)
{
    if (d->symbols[AFTER] != d->symbols[BEFORE])
        symbols_free(d->symbols[AFTER]);
    symbols_free(d->symbols[BEFORE]);
    rows_done(&d->rows);
    table_done(&d->by_key);
    store_done(&d->values);
    *d = (struct diff){0};
}

u32 diff_gauge(const struct diff *d)
{
    return (u32)gauge_named(d->labels ? "live" : "peak");
}

struct by_change {
    const struct rows *rows;
    u32 gauge;
};

static int compare(const void *a, const void *b, void *by)
{
    const struct by_change *o = by;
    u32 x = *(const u32 *)a, y = *(const u32 *)b;
    u64 wx = row_weight(&o->rows->items[x], o->gauge),
        wy = row_weight(&o->rows->items[y], o->gauge);
    return wx != wy ? (wx < wy ? 1 : -1) : (x > y) - (x < y);
}

u32 *diff_sorted(const struct diff *d, u32 gauge, bool grown, u32 *ret_count)
{
    u32 *out = calloc(d->rows.count + 1, sizeof *out), count = 0;
    if (out == NULL)
        die("loam: no memory for the report", NULL);
    for (u32 i = 0; i < d->rows.count; i++) {
        u64 before = d->rows.items[i].before[gauge], after = d->rows.items[i].after[gauge];
        if (grown ? after > before : after < before)
            out[count++] = i;
    }
    struct by_change by = {&d->rows, gauge};
    qsort_r(out, count, sizeof *out, compare, &by);
    *ret_count = count;
    return out;
}

u32 diff_over(const struct diff *d, u32 gauge, const u32 *grown, u32 count, u64 bytes)
{
    u32 n = 0;
    while (n < count && row_weight(&d->rows.items[grown[n]], gauge) > bytes)
        n++;
    return n;
}
