// diff_text.c: what grew, by how much, and where; then what shrank; then the verdict.

#include "report/diff_print.h"

#include "report/drawn.h"
#include "report/name.h"
#include "report/utf8.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

#define LEFT        11 // as in text.c
#define STACK_LINES 4
#define BAR_WIDTH   16

// "1.23 MB" or "1,234".
static const char *value(char out[WORDS_SIZE], u32 gauge, u64 n)
{
    return gauges[gauge].unit == GAUGE_BYTES ? words_size(out, n) : words_count(out, n);
}

// "+1.23 MB", "-12"; the sign of the change.
static const char *change(char out[2 * WORDS_SIZE], u32 gauge, u64 before, u64 after)
{
    char n[WORDS_SIZE];
    u64 by = after > before ? after - before : before - after;
    snprintf(out, 2 * WORDS_SIZE, "%s%s",
             after > before   ? "+"
             : after < before ? "-"
                              : "",
             value(n, gauge, by));
    return out;
}

static void right(struct ink *k, enum style style, const char *text)
{
    ink_to(k, (u32)(LEFT - 1 - size_min(utf8_width(text), LEFT - 1)));
    ink(k, style, "%s", text);
    ink_to(k, LEFT);
}

static void heading(struct ink *k, const char *text)
{
    ink(k, INK_HEAD, "%s", text);
    ink_to(k, LEFT);
}

static void sums(struct ink *k, const struct diff *d, u32 asked)
{
    for (u32 g = 0; g < gauges_count; g++) {
        char a[WORDS_SIZE], b[WORDS_SIZE], by[2 * WORDS_SIZE];
        u64 before = d->rows.before[g], after = d->rows.after[g];
        if (g != asked && (!d->known[g] || before == after))
            continue;
        ink_to(k, LEFT);
        ink(k, g == asked ? INK_BOLD : INK_PLAIN, "%s", gauges[g].label);
        ink_to(k, LEFT + 17);
        ink(k, INK_PLAIN, "%12s -> %-12s", value(a, g, before), value(b, g, after));
        enum style style = g != asked || after == before ? INK_DIM
                           : after > before              ? INK_BAD
                                                         : INK_GOOD;
        ink(k, style, "%s", before == after ? "the same" : change(by, g, before, after));
        ink_line(k);
    }
}

static void place(struct ink *k, const struct diff *d, u32 row, u32 gauge, u64 whole, bool grown)
{
    char by[2 * WORDS_SIZE], a[WORDS_SIZE], b[WORDS_SIZE];
    const struct row *r = &d->rows.items[row];
    u64 before = r->before[gauge], after = r->after[gauge];
    right(k, grown ? INK_BAD : INK_GOOD, change(by, gauge, before, after));
    ink_bar(k, row_weight(r, gauge), whole, BAR_WIDTH);
    ink(k, INK_DIM, "  %s -> %s", value(a, gauge, before), value(b, gauge, after));
    if (before == 0)
        ink(k, INK_DIM, " · new");
    ink_line(k);
    const struct drawn drawn = {k, &d->after->store, r->symbols, .addresses = true};
    drawn_stack(&drawn, r->place->sample, STACK_LINES);
    ink_line(k);
}

static void list(struct ink *k, const struct diff *d, const struct diff_options *o, bool grown)
{
    u32 count, *rows = diff_sorted(d, o->gauge, grown, &count);
    char n[WORDS_SIZE], by[2 * WORDS_SIZE];
    u64 whole = 0, rest = 0;
    for (u32 i = 0; i < count; i++)
        whole += row_weight(&d->rows.items[rows[i]], o->gauge);
    u32 shown = o->places_max == 0 || count < o->places_max ? count : o->places_max;
    heading(k, grown ? "GREW" : "SHRANK");
    if (count == 0) {
        ink(k, INK_GOOD, "nothing");
        ink_line(k);
    } else {
        ink(k, INK_PLAIN, "%s in %s", change(by, o->gauge, grown ? 0 : whole, grown ? whole : 0),
            words_of(n, count, "place"));
        ink_line(k);
        ink_line(k);
    }
    for (u32 i = 0; i < shown; i++)
        place(k, d, rows[i], o->gauge, whole, grown);
    for (u32 i = shown; i < count; i++)
        rest += row_weight(&d->rows.items[rows[i]], o->gauge);
    if (shown < count) {
        right(k, INK_PLAIN, change(by, o->gauge, grown ? 0 : rest, grown ? rest : 0));
        ink(k, INK_PLAIN, "in %s", words_of(n, count - shown, "smaller place"));
        ink_line(k);
        ink_line(k);
    }
    if (count == 0)
        ink_line(k);
    free(rows);
}

struct diff_verdict diff_judge(const struct diff *d, const struct diff_options *o)
{
    u64 before = d->rows.before[o->gauge], after = d->rows.after[o->gauge];
    u32 count, *grown = diff_sorted(d, o->gauge, true, &count);
    struct diff_verdict v = {.grown = after > before ? after - before : 0};
    v.places = o->judge ? diff_over(d, o->gauge, grown, count, o->fail_over) : 0;
    v.failed = o->judge && (v.places > 0 || v.grown > o->fail_over);
    free(grown);
    return v;
}

static void verdict(struct ink *k, const struct diff *d, const struct diff_options *o)
{
    struct diff_verdict v = diff_judge(d, o);
    char limit[WORDS_SIZE], all[WORDS_SIZE], places[WORDS_SIZE];
    value(limit, o->gauge, o->fail_over);
    heading(k, "VERDICT");
    if (!v.failed)
        ink(k, INK_GOOD, "passed: nothing grew by more than %s", limit);
    else if (v.places > 0)
        ink(k, INK_BAD, "failed: %s grew by more than %s", words_of(places, v.places, "place"),
            limit);
    else
        ink(k, INK_BAD, "failed: all together grew by %s, more than %s",
            value(all, o->gauge, v.grown), limit);
    ink_line(k);
}

// Both get half of the line, or one what the other does not need.
static void two_files(struct ink *k, const struct diff *d, const struct diff_options *o)
{
    size_t room = k->width - LEFT - 4, to = utf8_width(o->to);
    size_t left = to < room / 2 ? room - to : size_max(room / 2, 1);
    const char *first = name_fit_path(&d->after->store, o->from, left);
    ink(k, INK_PLAIN, "%s -> ", first);
    ink(k, INK_PLAIN, "%s", name_fit_path(&d->after->store, o->to, k->width - k->column));
}

void diff_text(struct ink *k, const struct diff *d, const struct diff_options *o)
{
    char a[WORDS_SIZE], b[WORDS_SIZE];
    heading(k, "loam");
    if (d->labels)
        ink(k, INK_PLAIN, "%s (%s) -> %s (%s)", o->from, words_time(a, d->from_ns), o->to,
            words_time(b, d->to_ns));
    else
        two_files(k, d, o);
    ink_line(k);
    ink_to(k, LEFT);
    ink_cut(k, INK_DIM, d->after->command, k->width - LEFT);
    ink_line(k);
    ink_line(k);
    sums(k, d, o->gauge);
    ink_line(k);
    list(k, d, o, true);
    list(k, d, o, false);
    if (o->judge)
        verdict(k, d, o);
}
