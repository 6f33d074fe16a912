// stat.c: order statistics and the bootstrap.

#include "lab/stat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLES = 500 };

void samples_add(struct samples *s, double value)
{
    if (s->count == s->room) {
        u32 room = s->room == 0 ? 64 : s->room * 2;
        double *more = realloc(s->value, room * sizeof *more);
        if (more == NULL)
            die("lab: out of memory", NULL);
        s->value = more;
        s->room = room;
    }
    s->value[s->count++] = value;
}

void samples_clear(struct samples *s)
{
    s->count = s->rejected = 0;
}

void samples_done(struct samples *s)
{
    free(s->value);
    *s = (struct samples){0};
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void stat_sort(double *values, u32 count)
{
    qsort(values, count, sizeof *values, compare);
}

double stat_quantile(const double *sorted, u32 count, double q)
{
    if (count == 0)
        return 0;
    double at = q * (count - 1);
    u32 below = (u32)at;
    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
}

static double deviation(const double *sorted, u32 count, double median)
{
    double *d = malloc(count * sizeof *d);
    if (d == NULL)
        die("lab: out of memory", NULL);
    for (u32 i = 0; i < count; i++)
        d[i] = fabs(sorted[i] - median);
    stat_sort(d, count);
    double mad = stat_quantile(d, count, 0.5);
    free(d);
    return mad;
}

// Ranks between which the true median lies in 95 of 100 cases, whatever the distribution.
static void median_interval(const double *sorted, u32 count, struct summary *s)
{
    double half = 0.98 * sqrt(count);
    double first = floor(count / 2.0 - half), last = ceil(count / 2.0 + half);
    s->low = sorted[first < 0 ? 0 : (u32)first];
    s->high = sorted[last > count - 1 ? count - 1 : (u32)last];
}

struct summary stat_summary(struct samples *s, bool floor)
{
    struct summary r = {.count = s->count, .rejected = s->rejected};
    if (s->count == 0)
        return r;
    stat_sort(s->value, s->count);
    const double *v = s->value;
    r.min = v[0];
    r.max = v[s->count - 1];
    r.median = stat_quantile(v, s->count, 0.5);
    r.p90 = stat_quantile(v, s->count, 0.9);
    r.p99 = stat_quantile(v, s->count, 0.99);
    r.mad = deviation(v, s->count, r.median);
    r.value = floor ? r.min : r.median;
    median_interval(v, s->count, &r);
    if (floor) {
        r.low = r.min;
        r.high = stat_quantile(v, s->count, 0.1);
    }
    return r;
}

struct summary stat_scale(struct summary s, double factor)
{
    double *parts[] = {&s.value, &s.low, &s.high, &s.min, &s.median,
                       &s.p90,   &s.p99, &s.max,  &s.mad};
    for (size_t i = 0; i < countof(parts); i++)
        *parts[i] *= factor;
    return s;
}

struct summary stat_exact(double value)
{
    return (struct summary){value, value, value, value, value, value, value, value, 0, 1, 0};
}

// The statistic of one resample, drawn with replacement.
static double resample(const struct samples *s, bool floor, struct rng *rng, double *room)
{
    for (u32 i = 0; i < s->count; i++)
        room[i] = s->value[rng_below(rng, s->count)];
    stat_sort(room, s->count);
    return floor ? room[0] : stat_quantile(room, s->count, 0.5);
}

static double statistic(const struct samples *s, bool floor, double *room)
{
    memcpy(room, s->value, s->count * sizeof *room);
    stat_sort(room, s->count);
    return floor ? room[0] : stat_quantile(room, s->count, 0.5);
}

struct summary stat_ratio(const struct samples *a, const struct samples *b, bool floor,
                          struct rng *rng)
{
    if (a->count == 0 || b->count == 0)
        return (struct summary){0};
    u32 most = a->count > b->count ? a->count : b->count;
    double *room = malloc(most * sizeof *room);
    if (room == NULL)
        die("lab: out of memory", NULL);
    struct samples ratios = {0};
    for (u32 i = 0; i < RESAMPLES; i++) {
        double over = resample(a, floor, rng, room), under = resample(b, floor, rng, room);
        samples_add(&ratios, under > 0 ? over / under : 0);
    }
    struct summary r = stat_summary(&ratios, false);
    double under = statistic(b, floor, room);
    r.value = under > 0 ? statistic(a, floor, room) / under : 0;
    r.low = stat_quantile(ratios.value, ratios.count, 0.025);
    r.high = stat_quantile(ratios.value, ratios.count, 0.975);
    r.count = a->count < b->count ? a->count : b->count;
    r.rejected = a->rejected + b->rejected;
    samples_done(&ratios);
    free(room);
    return r;
}
