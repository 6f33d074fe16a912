// html_time.c: when it happened: the timeline with its largest sites, labels, lifetimes.

#include "report/html_parts.h"

#include <stdlib.h>
#include <string.h>

#define TOPS_SHOWN 16 // sites whose bytes stand for every moment

// A site among the largest of some moment.
struct star {
    u32 row;    // of the report
    u64 sum;    // over all moments: which stars to show
    u64 *bytes; // for each moment, shown stars alone
};
struct stars {
    struct star *items;
    u32 count, room;
    struct table by_row; // 1 + row -> 1 + number of the star
};

static void must(const void *p)
{
    if (p == NULL)
        die("loam: no memory for the report", NULL);
}

static struct star *star_of(struct stars *s, u32 row)
{
    uintptr_t known = (uintptr_t)table_get(&s->by_row, (u64)row + 1);
    if (known != 0)
        return &s->items[known - 1];
    if (s->count == s->room) {
        s->room = s->room == 0 ? 64 : 2 * s->room;
        s->items = realloc(s->items, s->room * sizeof *s->items);
        must(s->items);
    }
    s->items[s->count] = (struct star){.row = row};
    table_put(&s->by_row, (u64)row + 1, (void *)(uintptr_t)(s->count + 1));
    return &s->items[s->count++];
}

// The row of a top, or -1: its site is gone from the recording or not in the page.
static int64_t top_row(const struct top *top, const u32 *numbers)
{
    const struct place *p = top->site == NULL ? NULL : top->site->place;
    return p == NULL || numbers[p->number] == 0 ? -1 : (int64_t)p->number;
}

static int by_sum(const void *a, const void *b)
{
    const struct star *x = a, *y = b;
    return x->sum != y->sum ? (x->sum < y->sum ? 1 : -1) : (x->row > y->row) - (x->row < y->row);
}

static void find_stars(struct stars *s, const struct model *m, const u32 *numbers)
{
    for (u32 i = 0; i < m->moments_count; i++) {
        for (u32 j = 0; j < m->moments[i].tops_count; j++) {
            int64_t row = top_row(&m->moments[i].tops[j], numbers);
            if (row >= 0)
                star_of(s, (u32)row)->sum += m->moments[i].tops[j].live_bytes;
        }
    }
    if (s->count > 0)
        qsort(s->items, s->count, sizeof *s->items, by_sum);
    s->count = s->count < TOPS_SHOWN ? s->count : TOPS_SHOWN;
    table_done(&s->by_row);
    for (u32 i = 0; i < s->count; i++) {
        s->items[i].bytes = calloc(m->moments_count, sizeof *s->items[i].bytes);
        must(s->items[i].bytes);
    }
}

static void fill_stars(struct stars *s, const struct model *m, const u32 *numbers)
{
    for (u32 i = 0; i < m->moments_count; i++) {
        for (u32 j = 0; j < m->moments[i].tops_count; j++) {
            const struct top *top = &m->moments[i].tops[j];
            int64_t row = top_row(top, numbers);
            for (u32 k = 0; k < s->count && row >= 0; k++) {
                if (s->items[k].row == row)
                    s->items[k].bytes[i] += top->live_bytes;
            }
        }
    }
}

static json_t *stars_json(struct stars *s, const struct model *m, const u32 *numbers)
{
    json_t *list = json_array();
    for (u32 k = 0; k < s->count; k++) {
        json_t *bytes = json_array();
        for (u32 i = 0; i < m->moments_count; i++)
            json_array_append_new(bytes, html_number(s->items[k].bytes[i]));
        json_array_append_new(list, json_pack("{s:i, s:o}", "site",
                                              (int)numbers[s->items[k].row] - 1, "bytes", bytes));
        free(s->items[k].bytes);
    }
    return list;
}

static json_t *tops(const struct model *m, const u32 *numbers)
{
    struct stars s = {0};
    find_stars(&s, m, numbers);
    fill_stars(&s, m, numbers);
    json_t *list = stars_json(&s, m, numbers);
    free(s.items);
    return list;
}

static json_t *timeline(const struct model *m, const u32 *numbers)
{
    json_t *ns = json_array(), *live = json_array(), *rss = json_array(), *allocs = json_array();
    for (u32 i = 0; i < m->moments_count; i++) {
        const struct moment *x = &m->moments[i];
        json_array_append_new(ns, html_number(x->at_ns));
        json_array_append_new(live, html_number(x->live.bytes));
        json_array_append_new(rss, x->rss_bytes == 0 ? json_null() : html_number(x->rss_bytes));
        json_array_append_new(allocs, html_number(x->allocs));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "ns", ns, "live", live, "rss", rss, "allocs",
                     allocs, "sites", tops(m, numbers));
}

static json_t *labels(const struct model *m)
{
    json_t *list = json_array();
    for (u32 i = 0; i < m->labels_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "name", m->labels[i].name, "ns",
                                              html_number(m->labels[i].moment.at_ns), "live",
                                              html_amount(m->labels[i].moment.live)));
    return list;
}

// Whose peak it is has its own start; the timeline's is the session's.
static json_t *peak_ns(const struct model *m, const struct totals *t)
{
    if (t->peak == NULL)
        return json_null();
    u64 later = t->peak->started_ns > m->started_ns ? t->peak->started_ns - m->started_ns : 0;
    return html_number(later + t->peak->peak_ns);
}

static json_t *lifetimes(const struct totals *t)
{
    json_t *from = json_array(), *blocks = json_array();
    for (u32 i = 0; i < LIVES_COUNT; i++) {
        json_array_append_new(from, html_number(lives_from_ns(i)));
        json_array_append_new(blocks, html_number(t->lives[i]));
    }
    return json_pack("{s:o, s:o}", "from_ns", from, "blocks", blocks);
}

void html_time_put(json_t *page, const struct model *m, const struct totals *t, const u32 *numbers)
{
    if (m->moments_count > 1)
        json_object_set_new(page, "timeline", timeline(m, numbers));
    json_object_set_new(page, "labels", labels(m));
    json_object_set_new(page, "peak_ns", peak_ns(m, t));
    if (t->frees > 0)
        json_object_set_new(page, "lifetimes", lifetimes(t));
}
