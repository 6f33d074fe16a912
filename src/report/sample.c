// sample.c: medians and the bootstrap.
//
// The bootstrap draws as many rounds as there were, with replacement, 2,000 times, and looks at how
// much the result moves. It needs no law of errors, which timings do not follow. Below five rounds
// it is too sure of itself; the page that shows it says so.

#include "report/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REPLICATES = 2000 };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// The values that are there, sorted. How many.
static u32 sorted(const double *v, u32 n, double out[SAMPLE_MAX])
{
    u32 count = 0;
    for (u32 i = 0; i < n && i < SAMPLE_MAX; i++) {
        if (!isnan(v[i]))
            out[count++] = v[i];
    }
    qsort(out, count, sizeof out[0], by_value);
    return count;
}

// The value below which a share `q` lies, between its two neighbours in proportion.
static double quantile(const double *v, u32 n, double q)
{
    double at = q * (n - 1);
    u32 below = (u32)at;
    if (below + 1 >= n)
        return v[n - 1];
    return v[below] + (at - below) * (v[below + 1] - v[below]);
}

double sample_median(const double *v, u32 n)
{
    double s[SAMPLE_MAX];
    u32 count = sorted(v, n, s);
    return count == 0 ? NAN : quantile(s, count, 0.5);
}

double sample_spread(const double *v, u32 n)
{
    double s[SAMPLE_MAX];
    u32 count = sorted(v, n, s);
    if (count < 2)
        return NAN;
    return (quantile(s, count, 0.75) - quantile(s, count, 0.25)) / 2 / quantile(s, count, 0.5);
}

double sample_ratio(const double *a, const double *b, u32 n)
{
    return sample_median(a, n) / sample_median(b, n);
}

double sample_mean(const double *a, const double *b, u32 programs, u32 n, u32 stride, u32 *ret_used)
{
    double sum = 0;
    u32 used = 0;
    for (u32 p = 0; p < programs; p++) {
        double ratio = sample_ratio(a + (size_t)p * stride, b + (size_t)p * stride, n);
        if (!isfinite(ratio) || ratio <= 0)
            continue;
        sum += log(ratio);
        used++;
    }
    *ret_used = used;
    return used == 0 ? NAN : exp(sum / used);
}

// ---------------------------------------------------------------- the bootstrap

// A fixed seed: the same file gives the same page.
static u32 draw(u64 *state, u32 n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (u32)(((*state >> 32) * n) >> 32);
}

static void resample(const double *from, double *to, const u32 *chosen, u32 n)
{
    for (u32 i = 0; i < n; i++)
        to[i] = from[chosen[i]];
}

struct interval sample_mean_interval(const double *a, const double *b, u32 programs, u32 n,
                                     u32 stride)
{
    double x[SAMPLE_MAX], y[SAMPLE_MAX], result[REPLICATES];
    u32 chosen[SAMPLE_MAX], count = 0;
    u64 state = 1;
    n = n > SAMPLE_MAX ? SAMPLE_MAX : n;
    for (u32 r = 0; r < REPLICATES; r++) {
        double sum = 0;
        u32 used = 0;
        for (u32 p = 0; p < programs; p++) {
            for (u32 i = 0; i < n; i++)
                chosen[i] = draw(&state, n);
            resample(a + (size_t)p * stride, x, chosen, n);
            resample(b + (size_t)p * stride, y, chosen, n);
            double ratio = sample_ratio(x, y, n);
            if (!isfinite(ratio) || ratio <= 0)
                continue;
            sum += log(ratio);
            used++;
        }
        if (used > 0)
            result[count++] = exp(sum / used);
    }
    if (count == 0 || n < 2) // one round says nothing about the next
        return (struct interval){NAN, NAN};
    qsort(result, count, sizeof result[0], by_value);
    return (struct interval){quantile(result, count, 0.025), quantile(result, count, 0.975)};
}

struct interval sample_ratio_interval(const double *a, const double *b, u32 n)
{
    return sample_mean_interval(a, b, 1, n, n);
}
