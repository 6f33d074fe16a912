// stat.h: samples, and what may be said of them.
//
// No normal distribution is assumed: intervals come from order statistics and from the bootstrap.
#pragma once

#include "lab/rng.h"

struct samples {
    double *value; // owned
    u32 count, room;
    u32 rejected; // disturbed, not among them
};

void samples_add(struct samples *s, double value);
void samples_clear(struct samples *s); // forget them, keep the room
void samples_done(struct samples *s);

struct summary {
    double value;     // the statistic that was chosen: median or floor
    double low, high; // its 95 % interval
    double min, median, p90, p99, max;
    double mad; // median absolute deviation
    u32 count, rejected;
};

// Sorts the samples. The interval of the median is that of ranks n/2 -+ 0.98 sqrt(n); that of the
// floor goes from the minimum to the tenth percentile.
struct summary stat_summary(struct samples *s, bool floor);
// A summary times a factor: cycles from ns, one operation from many.
struct summary stat_scale(struct summary s, double factor);
// One number, known exactly.
struct summary stat_exact(double value);
// Ratio of the statistics of a and b, interval by 500 bootstrap resamples of both.
struct summary stat_ratio(const struct samples *a, const struct samples *b, bool floor,
                          struct rng *rng);
// The q-th quantile, 0 to 1, of sorted values.
double stat_quantile(const double *sorted, u32 count, double q);
void stat_sort(double *values, u32 count);
