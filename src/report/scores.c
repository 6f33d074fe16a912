// scores.c: a contest on paper: ratio tables, figures, the verdict for one program.

#include "report/contest.h"
#include "report/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// The reference and five others have room in 80 columns.
enum { PROGRAM_WIDTH = 17, REFERENCE_WIDTH = 13, CELL_WIDTH = 10 };

static const struct {
    const char *title, *verb;
} quantities[QUANTITIES] = {
    [QUANTITY_CPU] = {"CPU time (user and system)", "CPU time"},
    [QUANTITY_WALL] = {"Wall time", "Wall time"},
    [QUANTITY_PEAK] = {"Peak resident memory", "Peak memory"},
};

static const char *amount(char out[WORDS_SIZE], enum quantity q, double v)
{
    if (isnan(v))
        snprintf(out, WORDS_SIZE, "-");
    else if (q == QUANTITY_PEAK)
        words_size(out, (u64)v);
    else if (v < 1)
        snprintf(out, WORDS_SIZE, "%.3g ms", v * 1e3);
    else
        snprintf(out, WORDS_SIZE, "%.3g s", v);
    return out;
}

// ---------------------------------------------------------------- ratio tables

// Columns: the program, the reference in its own unit, then the others in their order.
static u32 column_of(const struct contest *c, u32 allocator)
{
    u32 place = allocator < c->reference ? allocator : allocator - 1;
    return PROGRAM_WIDTH + REFERENCE_WIDTH + CELL_WIDTH * place;
}

static void print_head(const struct contest *c, enum quantity q, struct ink *k)
{
    const char *reference = c->t->allocator[c->reference];
    ink_line(k);
    ink(k, INK_HEAD, "%s", quantities[q].title);
    ink(k, INK_PLAIN, ", over %s's", reference);
    ink_line(k);
    ink(k, INK_DIM, "median of %u round%s, ± half the quartiles' distance in %%", c->t->rounds,
        c->t->rounds == 1 ? "" : "s");
    ink_line(k);
    ink(k, INK_DIM, "program");
    ink_to(k, PROGRAM_WIDTH);
    ink(k, INK_DIM, "%.12s", reference);
    for (u32 a = 0; a < c->t->allocators; a++) {
        if (a == c->reference)
            continue;
        ink_to(k, column_of(c, a));
        ink(k, INK_DIM, "%.9s", c->t->allocator[a]);
    }
    ink_line(k);
}

static void print_spread(const struct contest *c, const double *values, struct ink *k)
{
    double spread = sample_spread(values, c->rounds);
    if (!isnan(spread))
        ink(k, INK_DIM, " ±%u", (u32)lround(fmin(spread, 9.99) * 100));
}

// The lowest ratio in a row; the reference, which is 1, takes part.
static double best_of(const struct contest *c, enum quantity q, u32 program)
{
    double best = 1;
    for (u32 a = 0; a < c->t->allocators; a++) {
        double ratio = contest_ratio(c, q, a, program);
        best = ratio < best ? ratio : best;
    }
    return best;
}

static void print_cell(const struct contest *c, enum quantity q, u32 a, u32 program, double best,
                       struct ink *k)
{
    double ratio = contest_ratio(c, q, a, program);
    ink_to(k, column_of(c, a));
    if (isnan(ratio)) {
        ink(k, INK_DIM, "-");
        return;
    }
    // Whoever is within 1 % of the best has done as well.
    ink(k, ratio <= best * 1.01 ? INK_GOOD : INK_PLAIN, "%.*f", ratio < 9.995 ? 2 : 1, ratio);
    print_spread(c, contest_values(c, q, a, program), k);
}

static void print_program(const struct contest *c, enum quantity q, u32 program, struct ink *k)
{
    char text[WORDS_SIZE];
    const double *reference = contest_values(c, q, c->reference, program);
    double best = best_of(c, q, program), median = sample_median(reference, c->rounds);
    ink_cut(k, INK_PLAIN, c->t->program[program], PROGRAM_WIDTH - 1);
    ink_to(k, PROGRAM_WIDTH);
    ink(k, best >= 0.99 ? INK_GOOD : INK_PLAIN, "%s", amount(text, q, median));
    print_spread(c, reference, k);
    for (u32 a = 0; a < c->t->allocators; a++) {
        if (a != c->reference)
            print_cell(c, q, a, program, best, k);
    }
    ink_line(k);
}

static void print_means(const struct contest *c, enum quantity q, struct ink *k)
{
    u32 used, most = 0;
    ink(k, INK_BOLD, "geometric mean");
    for (u32 a = 0; a < c->t->allocators; a++) {
        if (a == c->reference)
            continue;
        double mean = contest_mean(c, q, a, &used);
        most = used > most ? used : most;
        ink_to(k, column_of(c, a));
        ink(k, INK_BOLD, isnan(mean) ? "-" : "%.3f", mean);
    }
    ink_line(k);
    ink(k, INK_DIM, "  95 %% interval");
    ink_to(k, PROGRAM_WIDTH);
    ink(k, INK_DIM, "%u programs", most);
    for (u32 a = 0; a < c->t->allocators; a++) {
        if (a == c->reference)
            continue;
        struct interval i = contest_mean_interval(c, q, a);
        ink_to(k, column_of(c, a));
        ink(k, INK_DIM, isnan(i.low) ? "-" : "%.2f-%.2f", i.low, i.high);
    }
    ink_line(k);
}

// ---------------------------------------------------------------- figures

// The value of figure `name` in a row; NAN if the program did not tell it.
static double figure(const struct trial *row, const char *name, size_t name_len)
{
    for (const char *at = row->figures; *at != 0;) {
        size_t len = strcspn(at, ";");
        if (strncmp(at, name, name_len) == 0 && at[name_len] == '=')
            return strtod(at + name_len + 1, NULL);
        at += len + (at[len] == ';');
    }
    return NAN;
}

static double figure_median(const struct contest *c, u32 program, u32 allocator, const char *name,
                            size_t name_len)
{
    double v[SAMPLE_MAX];
    u32 n = 0;
    for (size_t i = 0; i < c->t->count && n < SAMPLE_MAX; i++) {
        const struct trial *row = &c->t->rows[i];
        if (row->program == program && row->allocator == allocator &&
            strcmp(row->outcome, "ok") == 0)
            v[n++] = figure(row, name, name_len);
    }
    return sample_median(v, n);
}

static void print_figure(const struct contest *c, u32 program, const char *text, size_t len,
                         struct ink *k)
{
    size_t name_len = strcspn(text, "=");
    const char *unit = memchr(text, ' ', len);
    ink_cut(k, INK_PLAIN, c->t->program[program], PROGRAM_WIDTH - 1);
    ink_to(k, PROGRAM_WIDTH);
    ink(k, INK_PLAIN, "%.*s", (int)name_len, text);
    if (unit != NULL)
        ink(k, INK_DIM, ",%.*s", (int)(text + len - unit), unit);
    for (u32 a = 0; a < c->t->allocators; a++) {
        double v = figure_median(c, program, a, text, name_len);
        ink_to(k, PROGRAM_WIDTH + REFERENCE_WIDTH + 4 + CELL_WIDTH * a);
        ink(k, INK_PLAIN, isnan(v) ? "-" : "%.3g", v);
    }
    ink_line(k);
}

// The first good row of a program tells which figures it has.
static const char *figures_of(const struct contest *c, u32 program)
{
    for (size_t i = 0; i < c->t->count; i++) {
        const struct trial *row = &c->t->rows[i];
        if (row->program == program && strcmp(row->outcome, "ok") == 0)
            return row->figures;
    }
    return "";
}

static void print_figures_head(const struct contest *c, struct ink *k)
{
    ink_line(k);
    ink(k, INK_HEAD, "Figures of their own");
    ink(k, INK_PLAIN, ", medians");
    ink_line(k);
    for (u32 a = 0; a < c->t->allocators; a++) {
        ink_to(k, PROGRAM_WIDTH + REFERENCE_WIDTH + 4 + CELL_WIDTH * a);
        ink(k, INK_DIM, "%.10s", c->t->allocator[a]);
    }
    ink_line(k);
}

static void print_figures(const struct contest *c, struct ink *k)
{
    bool any = false;
    for (u32 p = 0; p < c->t->programs; p++) {
        for (const char *at = figures_of(c, p); *at != 0;) {
            size_t len = strcspn(at, ";");
            if (!any)
                print_figures_head(c, k);
            any = true;
            print_figure(c, p, at, len, k);
            at += len + (at[len] == ';');
        }
    }
}

void contest_print_tables(const struct contest *c, struct ink *k)
{
    for (enum quantity q = 0; q < QUANTITIES; q++) {
        print_head(c, q, k);
        for (u32 p = 0; p < c->t->programs; p++)
            print_program(c, q, p, k);
        if (c->t->programs > 1)
            print_means(c, q, k);
    }
    print_figures(c, k);
}

// ---------------------------------------------------------------- the verdict

// The allocators with the lowest and the second lowest median of program 0. false: fewer than two.
static bool two_best(const struct contest *c, enum quantity q, u32 *ret_best, u32 *ret_next)
{
    double best = INFINITY, next = INFINITY;
    for (u32 a = 0; a < c->t->allocators; a++) {
        double v = sample_median(contest_values(c, q, a, 0), c->rounds);
        if (v < best) {
            next = best;
            *ret_next = *ret_best;
            best = v;
            *ret_best = a;
        } else if (v < next) {
            next = v;
            *ret_next = a;
        }
    }
    return isfinite(next);
}

static void print_verdict(const struct contest *c, enum quantity q, struct ink *k)
{
    u32 best = 0, next = 0;
    char text[WORDS_SIZE], said[512];
    ink(k, INK_BOLD, "%s: ", quantities[q].verb);
    if (!two_best(c, q, &best, &next)) {
        ink(k, INK_PLAIN, "fewer than two allocators have good runs.");
        ink_line(k);
        return;
    }
    const double *a = contest_values(c, q, best, 0), *b = contest_values(c, q, next, 0);
    struct interval i = sample_ratio_interval(a, b, c->rounds);
    double ratio = sample_ratio(a, b, c->rounds);
    amount(text, q, sample_median(a, c->rounds));
    size_t n = 0;
    if (i.high < 1)
        n += (size_t)snprintf(
            said, sizeof said, "%.40s is best with %s, %.1f %% below %.40s, the next",
            c->t->allocator[best], text, 100 * (1 - ratio), c->t->allocator[next]);
    else
        n += (size_t)snprintf(said, sizeof said, "%.40s (%s) and %.40s cannot be told apart",
                              c->t->allocator[best], text, c->t->allocator[next]);
    if (!isnan(i.low))
        n += (size_t)snprintf(said + n, sizeof said - n, " (95 %% interval: %.1f to %.1f %%)",
                              100 * (1 - i.high), 100 * (1 - i.low));
    snprintf(said + n, sizeof said - n, ".");
    ink_wrap(k, INK_PLAIN, said);
}

void contest_print_verdict(const struct contest *c, struct ink *k)
{
    ink_line(k);
    for (enum quantity q = 0; q < QUANTITIES; q++)
        print_verdict(c, q, k);
    if (c->t->rounds < 5) {
        ink(k, INK_DIM, "Fewer than five rounds cannot tell how sure this is: -n 10 can.");
        ink_line(k);
    }
}

// ---------------------------------------------------------------- failures

static bool told_before(const struct contest *c, size_t row)
{
    const struct trial *r = &c->t->rows[row];
    for (size_t i = 0; i < row; i++) {
        const struct trial *o = &c->t->rows[i];
        if (o->program == r->program && o->allocator == r->allocator &&
            strcmp(o->outcome, r->outcome) == 0)
            return true;
    }
    return false;
}

bool contest_print_failures(const struct contest *c, struct ink *k)
{
    bool any = false;
    for (size_t i = 0; i < c->t->count; i++) {
        const struct trial *r = &c->t->rows[i];
        if (strcmp(r->outcome, "ok") == 0 || told_before(c, i))
            continue;
        if (!any) {
            ink_line(k);
            ink(k, INK_BAD, "Runs that failed and do not count");
            ink_line(k);
        }
        any = true;
        ink(k, INK_PLAIN, "%s with %s: %s", c->t->program[r->program],
            c->t->allocator[r->allocator], r->outcome);
        ink_line(k);
    }
    return any;
}
