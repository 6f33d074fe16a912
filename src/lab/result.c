// result.c: reporting: metrics, curves, tables, pictures, sentences.

#include "lab/result.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void result_init(struct result *r)
{
    *r = (struct result){
        .metrics = json_array(),
        .series = json_array(),
        .tables = json_array(),
        .pictures = json_array(),
        .heats = json_array(),
        .histograms = json_array(),
        .notes = json_array(),
        .why = json_object(),
        .partly = json_object(),
        .cannot = json_object(),
    };
}

// JSON knows no infinity.
static double tell(double x)
{
    return isfinite(x) ? x : 0;
}

json_t *result_summary_json(struct summary s)
{
    return json_pack("{sf s[ff] sf sf sf sf sf sf si si}", "value", tell(s.value), "ci95",
                     tell(s.low), tell(s.high), "min", tell(s.min), "median", tell(s.median), "p90",
                     tell(s.p90), "p99", tell(s.p99), "max", tell(s.max), "mad", tell(s.mad), "n",
                     s.count, "rejected", s.rejected);
}

static json_t *metric(struct lab *l, const char *key, struct summary s, const char *unit)
{
    json_t *m = result_summary_json(s);
    json_object_set_new(m, "key", json_string(key));
    json_object_set_new(m, "unit", json_string(unit));
    json_array_append_new(l->to->metrics, m);
    return m;
}

void lab_exact(struct lab *l, const char *key, double value, const char *unit)
{
    json_object_set_new(metric(l, key, stat_exact(value), unit), "exact", json_true());
}

void lab_measured(struct lab *l, const char *key, struct summary of, const char *unit)
{
    metric(l, key, of, unit);
}

void result_bars(struct result *r, size_t count)
{
    size_t all = json_array_size(r->metrics);
    r->bars++;
    for (size_t i = all - count; i < all; i++)
        json_object_set_new(json_array_get(r->metrics, i), "group", json_integer(r->bars));
}

static json_t *sentence(const char *fmt, va_list args)
{
    char text[1024];
    vsnprintf(text, sizeof text, fmt, args);
    json_t *s = json_string(text);
    return s != NULL ? s : json_string("(not UTF-8)");
}

#define SENTENCE(into)                  \
    va_list args;                       \
    va_start(args, fmt);                \
    json_t *into = sentence(fmt, args); \
    va_end(args)

void lab_check(struct lab *l, const char *key, bool yes, const char *fmt, ...)
{
    SENTENCE(seen);
    json_t *m = metric(l, key, stat_exact(yes), "yes");
    json_object_set_new(m, "exact", json_true());
    json_object_set_new(m, "seen", seen);
}

void lab_cannot(struct lab *l, const char *key, const char *fmt, ...)
{
    SENTENCE(why);
    json_object_set_new(l->to->cannot, key == NULL ? "" : key, why);
}

void lab_partly(struct lab *l, const char *key, const char *fmt, ...)
{
    SENTENCE(why);
    json_object_set_new(l->to->partly, key, why);
}

void lab_why(struct lab *l, const char *key, const char *fmt, ...)
{
    SENTENCE(why);
    json_object_set_new(l->to->why, key, why);
}

void lab_note(struct lab *l, const char *fmt, ...)
{
    SENTENCE(note);
    json_array_append_new(l->to->notes, note);
}

// ---------------------------------------------------------------- drawings

u32 lab_series(struct lab *l, const char *name, const char *x, const char *y)
{
    json_array_append_new(l->to->series, json_pack("{ss ss ss s[ss] s[]}", "name", name, "x", x,
                                                   "y", y, "scale", "log2", "log10", "points"));
    return (u32)json_array_size(l->to->series) - 1;
}

void lab_point(struct lab *l, u32 series, double x, struct summary y)
{
    json_t *p = result_summary_json(y);
    json_object_set_new(p, "x", json_real(x));
    json_array_append_new(json_object_get(json_array_get(l->to->series, series), "points"), p);
}

// "a|b|c" as an array.
static json_t *cells(const char *text)
{
    json_t *a = json_array();
    for (;;) {
        size_t len = strcspn(text, "|");
        json_array_append_new(a, json_stringn(text, len));
        if (text[len] == 0)
            return a;
        text += len + 1;
    }
}

static json_t *last(json_t *array)
{
    return json_array_get(array, json_array_size(array) - 1);
}

void lab_table(struct lab *l, const char *title, const char *columns)
{
    json_array_append_new(
        l->to->tables, json_pack("{ss so s[]}", "title", title, "columns", cells(columns), "rows"));
}

void lab_row(struct lab *l, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    json_array_append_new(json_object_get(last(l->to->tables), "rows"), cells(text));
}

void lab_picture(struct lab *l, const char *title)
{
    json_array_append_new(l->to->pictures, json_pack("{ss s[]}", "title", title, "lines"));
}

void lab_line(struct lab *l, const char *fmt, ...)
{
    SENTENCE(line);
    json_array_append_new(json_object_get(last(l->to->pictures), "lines"), line);
}

void lab_heat(struct lab *l, const char *title, const char *columns, const char *rows,
              const double *values, const char *unit)
{
    json_t *xs = cells(columns), *ys = cells(rows), *grid = json_array();
    for (size_t y = 0; y < json_array_size(ys); y++) {
        json_t *row = json_array();
        for (size_t x = 0; x < json_array_size(xs); x++)
            json_array_append_new(row, json_real(tell(*values++)));
        json_array_append_new(grid, row);
    }
    json_array_append_new(l->to->heats, json_pack("{ss ss so so so}", "title", title, "unit", unit,
                                                  "columns", xs, "rows", ys, "values", grid));
}

// ---------------------------------------------------------------- distributions

enum { BINS_A_DECADE = 8 };

// Eight bins a decade, from the smallest value to the greatest.
static void histogram(struct lab *l, const char *key, const double *sorted, u32 count,
                      const char *unit)
{
    json_t *bins = json_array();
    double step = pow(10, 1.0 / BINS_A_DECADE);
    double least = sorted[0] > 0 ? sorted[0] : 1e-3;
    double from = pow(step, floor(log10(least) * BINS_A_DECADE));
    for (u32 i = 0; i < count;) {
        u32 first = i;
        double to = from * step;
        while (i < count && sorted[i] < to)
            i++;
        json_array_append_new(bins, json_pack("[ffi]", from, to, (int)(i - first)));
        from = to;
    }
    json_array_append_new(l->to->histograms,
                          json_pack("{ss ss so}", "name", key, "unit", unit, "bins", bins));
}

void lab_distribution(struct lab *l, const char *key, const double *values, size_t count,
                      const char *unit)
{
    if (count == 0)
        return;
    struct samples s = {0};
    char name[128];
    for (size_t i = 0; i < count; i++)
        samples_add(&s, values[i]);
    struct summary all = stat_summary(&s, false);
    lab_measured(l, key, all, unit);
    snprintf(name, sizeof name, "%s_p99", key);
    lab_exact(l, name, all.p99, unit);
    snprintf(name, sizeof name, "%s_max", key);
    lab_exact(l, name, all.max, unit);
    histogram(l, key, s.value, s.count, unit);
    samples_done(&s);
}
