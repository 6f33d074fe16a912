// contest.c: from rows to cells, ratios and means.

#include "report/contest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------- cells

static double *cell(const struct contest *c, enum quantity q, u32 allocator, u32 program)
{
    size_t at = ((size_t)q * c->t->allocators + allocator) * c->t->programs + program;
    return c->value + at * c->rounds;
}

const double *contest_values(const struct contest *c, enum quantity q, u32 allocator, u32 program)
{
    return cell(c, q, allocator, program);
}

static double quantity_of(const struct trial *row, enum quantity q)
{
    switch (q) {
    case QUANTITY_CPU:
        return row->user + row->sys;
    case QUANTITY_WALL:
        return row->wall;
    case QUANTITY_PEAK:
        return (double)row->peak;
    case QUANTITIES:
        break;
    }
    return NAN;
}

static void fill(struct contest *c, size_t cells)
{
    for (size_t i = 0; i < cells; i++)
        c->value[i] = NAN;
    for (size_t i = 0; i < c->t->count; i++) {
        const struct trial *row = &c->t->rows[i];
        if (strcmp(row->outcome, "ok") != 0 || row->round >= c->rounds)
            continue;
        for (enum quantity q = 0; q < QUANTITIES; q++) {
            double v = quantity_of(row, q);
            cell(c, q, row->allocator, row->program)[row->round] = v > 0 ? v : NAN;
        }
    }
}

int contest_init(struct contest *c, const struct trials *t, const char *reference)
{
    int at = trials_find_allocator(t, reference);
    if (at < 0)
        return -1;
    *c = (struct contest){
        .t = t, .reference = (u32)at, .rounds = t->rounds < SAMPLE_MAX ? t->rounds : SAMPLE_MAX};
    size_t cells = (size_t)QUANTITIES * t->allocators * t->programs * c->rounds;
    c->value = malloc(cells * sizeof *c->value + 1);
    if (c->value == NULL)
        die("loam: out of memory", NULL);
    fill(c, cells);
    return 0;
}

void contest_done(struct contest *c)
{
    free(c->value);
    c->value = NULL;
}

// ---------------------------------------------------------------- ratios and means

double contest_ratio(const struct contest *c, enum quantity q, u32 allocator, u32 program)
{
    return sample_ratio(cell(c, q, allocator, program), cell(c, q, c->reference, program),
                        c->rounds);
}

static bool counts(const struct contest *c, enum quantity q, u32 program)
{
    return c->t->mean[program] & (q == QUANTITY_PEAK ? MEAN_MEMORY : MEAN_TIME);
}

// The values of the programs that count, program by program. How many they are.
static u32 gather(const struct contest *c, enum quantity q, u32 allocator, double *out)
{
    u32 n = 0;
    for (u32 p = 0; p < c->t->programs; p++) {
        if (!counts(c, q, p))
            continue;
        const double *from = cell(c, q, allocator, p);
        memcpy(out + (size_t)n++ * c->rounds, from, c->rounds * sizeof *out);
    }
    return n;
}

// Both sides of a mean, in one block that the caller frees.
static double *two_sides(const struct contest *c, enum quantity q, u32 allocator, double **ret_b,
                         u32 *ret_programs)
{
    size_t room = (size_t)c->t->programs * c->rounds;
    double *a = malloc(2 * room * sizeof *a + 1);
    if (a == NULL)
        die("loam: out of memory", NULL);
    *ret_b = a + room;
    *ret_programs = gather(c, q, allocator, a);
    gather(c, q, c->reference, *ret_b);
    return a;
}

double contest_mean(const struct contest *c, enum quantity q, u32 allocator, u32 *ret_used)
{
    u32 programs;
    double *b, *a = two_sides(c, q, allocator, &b, &programs);
    double mean = sample_mean(a, b, programs, c->rounds, c->rounds, ret_used);
    free(a);
    return mean;
}

struct interval contest_mean_interval(const struct contest *c, enum quantity q, u32 allocator)
{
    u32 programs;
    double *b, *a = two_sides(c, q, allocator, &b, &programs);
    struct interval i = sample_mean_interval(a, b, programs, c->rounds, c->rounds);
    free(a);
    return i;
}
