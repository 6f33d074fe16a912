// html.c: the data of a report's page. web/src/report/data.ts says what each part means.
//
// A page is bounded: of very many stacks the largest by each gauge are in it, and for the rest the
// totals tell what is missing.

#include "report/html.h"

#include "report/html_parts.h"
#include "report/notes.h"
#include "report/owners.h"
#include "report/page.h"
#include "report/words.h"

#include <stdlib.h>

static json_t *text_or_null(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static json_t *leaked(const struct totals *t)
{
    if (t->scanned == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "bytes",
                     html_number(leaked_bytes(t->direct, t->indirect, t->cycle)), "direct",
                     html_amount(t->direct), "indirect", html_amount(t->indirect), "cycle",
                     html_amount(t->cycle));
}

static json_t *peak(const struct totals *t)
{
    if (t->peak == NULL)
        return json_null();
    return json_pack("{s:o, s:i, s:o}", "bytes", html_number(t->peak->peak_bytes), "pid",
                     (int)t->peak->pid, "ns", html_number(t->peak->peak_ns));
}

static json_t *totals(struct model *m, const struct totals *t)
{
    json_t *o = json_pack("{s:o, s:o, s:o, s:o}", "allocs", html_number(t->allocs), "alloc_bytes",
                          html_number(t->alloc_bytes), "frees", html_number(t->frees), "live",
                          html_amount(t->live));
    json_object_set_new(o, "leaked", leaked(t));
    json_object_set_new(o, "reachable", t->scanned > 0 ? html_amount(t->reachable) : json_null());
    json_object_set_new(o, "no_scan", text_or_null(notes_no_scan(m, t)));
    json_object_set_new(o, "peak", peak(t));
    json_object_set_new(o, "temporaries", html_number(t->churn.temporaries));
    json_object_set_new(o, "copied_bytes", html_number(t->churn.copied_bytes));
    json_object_set_new(o, "capacity", html_number(t->churn.capacity));
    json_object_set_new(o, "live_capacity", html_number(t->live_capacity));
    json_object_set_new(o, "sampled", html_number(t->sampled));
    return o;
}

static json_t *notes(struct model *m, const struct totals *t)
{
    struct notes all = notes_of(m, t);
    json_t *list = json_array();
    for (u32 i = 0; i < all.count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "code", all.items[i].code, "text", all.items[i].text));
    return list;
}

static json_t *status(const struct model *m)
{
    char text[WORDS_SIZE];
    return m->ended_ns == 0 ? json_null() : json_string(words_status(text, m->end_status));
}

static json_t *head(const struct model *m)
{
    u64 duration = m->ended_ns > m->started_ns ? m->ended_ns - m->started_ns : 0;
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "loam", LOAM_VERSION, "command", m->command,
                     "started_ms", html_number(m->started_ns / 1000000), "duration_ns",
                     html_number(duration), "status", status(m));
}

int html_report(FILE *out, struct model *m)
{
    struct totals t = totals_of(m);
    struct symbols *symbols = symbols_new(&m->store);
    struct rows rows = rows_of(m, symbols);
    json_t *page = head(m);
    u32 *numbers;
    json_object_set_new(page, "totals", totals(m, &t));
    html_sites_put(page, &rows, &m->store, &numbers);
    html_tree_put(page, m);
    json_object_set_new(page, "owners", owners_json(m));
    html_time_put(page, m, &t, numbers);
    html_ram_put(page, m, numbers);
    json_object_set_new(page, "notes", notes(m, &t)); // last: symbols were asked by now
    int r = page_write(out, PAGE_REPORT, page);
    free(numbers);
    json_decref(page);
    rows_done(&rows);
    symbols_free(symbols);
    return r;
}
