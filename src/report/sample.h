// sample.h: what several runs say together: median, spread, ratio, and how sure it is.
//
// Medians, because a run that was disturbed is only ever slower, and must not move the result.
// Values of runs that failed are NAN and are left out; n counts rounds.
#pragma once

#include "base/base.h"

enum { SAMPLE_MAX = 1024 }; // rounds that are looked at

struct interval {
    double low, high;
};

// The median of what is there; NAN if nothing is.
double sample_median(const double *v, u32 n);
// Half the distance between the quartiles over the median: 0.02 is "give or take 2 %".
// NAN for fewer than two.
double sample_spread(const double *v, u32 n);

// The ratio of the medians of a and b, and the interval in which 95 % of its bootstrap replicates
// lie. Rounds are drawn together, a[i] with b[i]: what disturbed a whole round cancels out.
// NAN for one round.
double sample_ratio(const double *a, const double *b, u32 n);
struct interval sample_ratio_interval(const double *a, const double *b, u32 n);

// The geometric mean over many programs of ratios of medians, with its interval. Row p of `a` and
// `b` is program p's, `stride` apart. Programs without a value on both sides are left out;
// ret_used tells how many counted.
double sample_mean(const double *a, const double *b, u32 programs, u32 n, u32 stride,
                   u32 *ret_used);
struct interval sample_mean_interval(const double *a, const double *b, u32 programs, u32 n,
                                     u32 stride);
