// hostile.h: everything that the tool makes of a recording, made of any bytes.
//
// What a fuzzer calls for each input, and tests/unit/hostile_test.c for a few hundred.
#pragma once

#include "report/diff_print.h"
#include "report/export.h"
#include "report/html.h"
#include "report/load.h"
#include "report/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hostile_print(struct model *m, FILE *out)
{
    struct ink k = {.out = out, .width = 80};
    text_report(&k, m, &(struct text_options){.next = "loam report", .reachable = true});
    html_report(out, m);
    for (u32 i = 0; i < export_formats_count; i++)
        export_formats[i].write(out, m, 0);
}

static void hostile_diff(struct diff *d, FILE *out)
{
    struct diff_options o = {.gauge = diff_gauge(d), .judge = true, .from = "a", .to = "b"};
    struct ink k = {.out = out, .width = 80};
    diff_text(&k, d, &o);
    diff_json(out, d, &o);
    diff_html(out, d, &o);
    diff_done(d);
}

// Against a second copy of itself, and from its first label to its last.
static void hostile_diffs(struct model *m, const void *bytes, size_t size, FILE *out)
{
    char why[400];
    struct model again;
    struct diff d;
    if (load_memory("again", bytes, size, &again, why, sizeof why) == 0) {
        diff_files(&d, &again, m, PLACE_DEPTH);
        hostile_diff(&d, out);
        load_done(&again);
    }
    const char *to = m->labels_count > 0 ? m->labels[m->labels_count - 1].name : NULL;
    if (m->labels_count > 0 && diff_labels(&d, m, m->labels[0].name, to, 0, why, sizeof why) == 0)
        hostile_diff(&d, out);
}

// False if the bytes are no recording at all.
static bool hostile_try(const void *bytes, size_t size, FILE *out)
{
    char why[400];
    struct model m;
    if (load_memory("it", bytes, size, &m, why, sizeof why) < 0)
        return false;
    hostile_print(&m, out);
    hostile_diffs(&m, bytes, size, out);
    load_done(&m);
    return true;
}
