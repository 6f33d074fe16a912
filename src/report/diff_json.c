// diff_json.c: the diff for machines: "loam-diff/1", see docs/diff-json.md.

#include "report/diff_print.h"

#include "report/stack.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *number(u64 n)
{
    return json_integer((json_int_t)n);
}

static json_t *text_or_null(const char *text)
{
    return text == NULL || *text == 0 ? json_null() : json_string(text);
}

static json_t *both(u64 before, u64 after)
{
    return json_pack("{s:o, s:o, s:o}", "before", number(before), "after", number(after), "change",
                     json_integer((json_int_t)(after - before)));
}

// What both sides know, by gauge.
static json_t *values(const struct diff *d, const u64 *before, const u64 *after)
{
    json_t *o = json_object();
    for (u32 g = 0; g < gauges_count; g++) {
        if (d->known[g])
            json_object_set_new(o, gauges[g].key, both(before[g], after[g]));
    }
    return o;
}

static json_t *stack(struct store *store, const struct row *r)
{
    struct stack s = stack_cut(r->symbols, store, r->place->sample, STACK_FOLDED);
    json_t *list = json_array();
    for (u32 i = 0; i < s.lines_count; i++) {
        const struct stack_line *l = &s.lines[i];
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:o, s:o}", "function", l->symbol->function, "file",
                            text_or_null(l->symbol->file), "line",
                            l->symbol->line == 0 ? json_null() : number(l->symbol->line), "module",
                            text_or_null(l->module == NULL ? NULL : l->module->path)));
    }
    return list;
}

static void add_places(json_t *list, const struct diff *d, u32 gauge, bool grown)
{
    u32 count, *rows = diff_sorted(d, gauge, grown, &count);
    struct store store = {0};
    for (u32 i = 0; i < count; i++) {
        const struct row *r = &d->rows.items[rows[i]];
        json_t *o = values(d, r->before, r->after);
        json_object_set_new(o, "stack", stack(&store, r));
        json_array_append_new(list, o);
        store_clear(&store);
    }
    store_done(&store);
    free(rows);
}

int diff_json(FILE *out, const struct diff *d, const struct diff_options *o)
{
    struct diff_verdict v = diff_judge(d, o);
    json_t *places = json_array();
    add_places(places, d, o->gauge, true);
    add_places(places, d, o->gauge, false);
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "schema", "loam-diff/1", "loam",
                  LOAM_VERSION, "from", o->from, "to", o->to, "by", gauges[o->gauge].key,
                  "fail_over", o->judge ? number(o->fail_over) : json_null(), "failed",
                  o->judge ? json_boolean(v.failed) : json_null(), "totals",
                  values(d, d->rows.before, d->rows.after), "places", places);
    int r = json_dumpf(root, out, JSON_INDENT(1));
    fputc('\n', out);
    json_decref(root);
    return r == 0 && fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
