// speedscope.c: speedscope's file format: frames once, then a profile for each gauge.
//
// Written by hand, not by jansson: 200,000 stacks of 40 frames would be objects of half a gigabyte.

#include "report/export.h"

#include "report/rows.h"
#include "report/stack.h"

#include <jansson.h>
#include <stdlib.h>

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"

struct speedscope {
    FILE *out;
    struct table frames; // symbol -> 1 + number
    u32 frames_count;
    struct store lines;
};

static void put_text(FILE *out, const char *text)
{
    json_t *t = json_string(text);
    json_dumpf(t == NULL ? json_null() : t, out, JSON_ENCODE_ANY);
    json_decref(t);
}

static void put_frame(struct speedscope *s, const struct symbol *f)
{
    if (table_get(&s->frames, (u64)(uintptr_t)f) != NULL)
        return;
    fputs(s->frames_count > 0 ? ",\n{\"name\":" : "\n{\"name\":", s->out);
    put_text(s->out, f->function);
    if (f->file != NULL) {
        fputs(",\"file\":", s->out);
        put_text(s->out, f->file);
        if (f->line > 0)
            fprintf(s->out, ",\"line\":%u", f->line);
    }
    fputc('}', s->out);
    table_put(&s->frames, (u64)(uintptr_t)f, (void *)(uintptr_t)++s->frames_count);
}

static void put_frames(struct speedscope *s, const struct rows *rows)
{
    fputs("\"shared\":{\"frames\":[", s->out);
    for (u32 i = 0; i < rows->count; i++) {
        const struct row *r = &rows->items[i];
        struct stack stack = stack_cut(r->symbols, &s->lines, r->place->sample, STACK_FOLDED);
        for (u32 k = 0; k < stack.lines_count; k++)
            put_frame(s, stack.lines[k].symbol);
        store_clear(&s->lines);
    }
    fputs("\n]}", s->out);
}

static void put_samples(struct speedscope *s, const struct rows *rows, u32 gauge)
{
    const char *comma = "";
    for (u32 i = 0; i < rows->count; i++) {
        const struct row *r = &rows->items[i];
        if (r->after[gauge] == 0)
            continue;
        struct stack stack = stack_cut(r->symbols, &s->lines, r->place->sample, STACK_FOLDED);
        fprintf(s->out, "%s[", comma);
        for (u32 k = stack.lines_count; k-- > 0;) {
            u64 key = (u64)(uintptr_t)stack.lines[k].symbol;
            fprintf(s->out, k > 0 ? "%u," : "%u", (u32)(uintptr_t)table_get(&s->frames, key) - 1);
        }
        fputc(']', s->out);
        comma = ",\n";
        store_clear(&s->lines);
    }
}

static void put_profile(struct speedscope *s, const struct rows *rows, u32 gauge)
{
    const struct gauge *g = &gauges[gauge];
    fprintf(s->out, "{\"type\":\"sampled\",\"name\":\"%s\",\"unit\":\"%s\",\"startValue\":0,",
            g->label, g->unit == GAUGE_BYTES ? "bytes" : "none");
    fprintf(s->out, "\"endValue\":%llu,\n\"samples\":[", (unsigned long long)rows->after[gauge]);
    put_samples(s, rows, gauge);
    fputs("],\n\"weights\":[", s->out);
    const char *comma = "";
    for (u32 i = 0; i < rows->count; i++) {
        if (rows->items[i].after[gauge] == 0)
            continue;
        fprintf(s->out, "%s%llu", comma, (unsigned long long)rows->items[i].after[gauge]);
        comma = ",";
    }
    fputs("]}", s->out);
}

int speedscope_write(FILE *out, struct model *m, u32 gauge)
{
    (void)gauge;
    struct symbols *symbols = symbols_new(&m->store);
    struct rows rows = rows_of(m, symbols);
    struct speedscope s = {.out = out};
    fputs("{\"$schema\":\"" SCHEMA "\",\"exporter\":\"loam " LOAM_VERSION "\",\"name\":", out);
    put_text(out, m->command);
    fputs(",\n", out);
    put_frames(&s, &rows);
    fputs(",\n\"profiles\":[", out);
    const char *comma = "\n";
    for (u32 g = 0; g < gauges_count; g++) {
        if (rows.after[g] == 0)
            continue;
        fputs(comma, out);
        put_profile(&s, &rows, g);
        comma = ",\n";
    }
    fputs("]}\n", out);
    table_done(&s.frames);
    store_done(&s.lines);
    rows_done(&rows);
    symbols_free(symbols);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
