// diff_html.c: the data of a diff's page: the report's parts, with changes for values.

#include "report/diff_print.h"

#include "report/html_parts.h"
#include "report/page.h"

#include <stdlib.h>

static json_t *about(const struct diff *d, const struct diff_options *o)
{
    struct diff_verdict v = diff_judge(d, o);
    json_t *about = json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "from", o->from, "to", o->to, "by",
                              gauges[o->gauge].key, "labels", d->labels, "from_ns",
                              html_number(d->from_ns), "to_ns", html_number(d->to_ns));
    json_object_set_new(about, "fail_over", o->judge ? html_number(o->fail_over) : json_null());
    json_object_set_new(about, "failed", o->judge ? json_boolean(v.failed) : json_null());
    return about;
}

// Which measures both sides know, and what they stood at.
static json_t *sides(const struct diff *d)
{
    json_t *list = json_array();
    for (u32 g = 0; g < gauges_count; g++)
        json_array_append_new(list, json_pack("{s:b, s:o, s:o}", "known", d->known[g], "before",
                                              html_number(d->rows.before[g]), "after",
                                              html_number(d->rows.after[g])));
    return list;
}

int diff_html(FILE *out, const struct diff *d, const struct diff_options *o)
{
    json_t *page = json_pack("{s:s, s:s, s:o, s:o}", "loam", LOAM_VERSION, "command",
                             d->after->command, "diff", about(d, o), "sides", sides(d));
    u32 *numbers;
    html_sites_put(page, &d->rows, &d->after->store, &numbers);
    free(numbers);
    int r = page_write(out, PAGE_REPORT, page);
    json_decref(page);
    return r;
}
