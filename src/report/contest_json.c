// contest_json.c: a contest for machines. Seconds and bytes; null where there was no good run.

#include "report/contest.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const char *const names[QUANTITIES] = {
    [QUANTITY_CPU] = "cpu_s", [QUANTITY_WALL] = "wall_s", [QUANTITY_PEAK] = "peak_rss_bytes"};

static json_t *real(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *quantity(const struct contest *c, enum quantity q, u32 allocator, u32 program)
{
    const double *v = contest_values(c, q, allocator, program);
    return json_pack("{s:o, s:o, s:o}", "median", real(sample_median(v, c->rounds)), "spread",
                     real(sample_spread(v, c->rounds)), "ratio",
                     real(contest_ratio(c, q, allocator, program)));
}

static json_t *program(const struct contest *c, u32 p)
{
    json_t *allocators = json_object();
    for (u32 a = 0; a < c->t->allocators; a++) {
        json_t *one = json_object();
        for (enum quantity q = 0; q < QUANTITIES; q++)
            json_object_set_new(one, names[q], quantity(c, q, a, p));
        json_object_set_new(allocators, c->t->allocator[a], one);
    }
    return json_pack("{s:s, s:s, s:o}", "name", c->t->program[p], "mean",
                     trials_mean_word(c->t->mean[p]), "allocators", allocators);
}

static json_t *mean(const struct contest *c, enum quantity q, u32 allocator)
{
    u32 used;
    double ratio = contest_mean(c, q, allocator, &used);
    struct interval i = contest_mean_interval(c, q, allocator);
    return json_pack("{s:o, s:o, s:o, s:i}", "ratio", real(ratio), "low", real(i.low), "high",
                     real(i.high), "programs", (int)used);
}

static json_t *means(const struct contest *c)
{
    json_t *all = json_object();
    for (u32 a = 0; a < c->t->allocators; a++) {
        json_t *one = json_object();
        for (enum quantity q = 0; q < QUANTITIES; q++)
            json_object_set_new(one, names[q], mean(c, q, a));
        json_object_set_new(all, c->t->allocator[a], one);
    }
    return all;
}

static json_t *failures(const struct contest *c)
{
    json_t *all = json_array();
    for (size_t i = 0; i < c->t->count; i++) {
        const struct trial *r = &c->t->rows[i];
        if (strcmp(r->outcome, "ok") != 0)
            json_array_append_new(all, json_pack("{s:s, s:s, s:i, s:s}", "program",
                                                 c->t->program[r->program], "allocator",
                                                 c->t->allocator[r->allocator], "round",
                                                 (int)r->round, "outcome", r->outcome));
    }
    return all;
}

bool contest_print_json(const struct contest *c, FILE *out)
{
    json_t *programs = json_array(), *failed = failures(c);
    bool any = json_array_size(failed) > 0;
    for (u32 p = 0; p < c->t->programs; p++)
        json_array_append_new(programs, program(c, p));
    json_t *all = json_pack("{s:s, s:s, s:i, s:o, s:o, s:o}", "about", c->t->about, "reference",
                            c->t->allocator[c->reference], "rounds", (int)c->t->rounds, "programs",
                            programs, "means", means(c), "failures", failed);
    json_dumpf(all, out, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    fputc('\n', out);
    json_decref(all);
    return any;
}
