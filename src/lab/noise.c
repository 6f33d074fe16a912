// noise.c: the sentinel.

#include "lab/noise.h"

#include "lab/clock.h"
#include "lab/stat.h"

#include <stdlib.h>
#include <sys/resource.h>

enum { LINES = 2048, HOPS = 16384, SAMPLES = 40 }; // 128 KiB, 60 us a sample

struct line {
    struct line *next;
    char rest[56];
};

static long switches(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_nivcsw;
}

static struct line *chase(struct line *at, u32 hops)
{
    for (u32 i = 0; i < hops; i++)
        at = at->next;
    KEEP(at);
    return at;
}

char noise_grade(double spread, double rejected)
{
    if (spread <= 0.03 && rejected <= 0.10)
        return 'A';
    return spread <= 0.10 && rejected <= 0.40 ? 'B' : 'C';
}

struct noise noise_measure(struct rng *rng)
{
    struct line *lines = aligned_alloc(64, LINES * sizeof *lines);
    u32 *next = malloc(LINES * sizeof *next);
    if (lines == NULL || next == NULL)
        die("lab: out of memory", NULL);
    rng_cycle(rng, next, LINES);
    for (u32 i = 0; i < LINES; i++)
        lines[i].next = &lines[next[i]];
    struct line *at = chase(lines, HOPS);
    struct samples s = {0};
    for (u32 i = 0; i < SAMPLES; i++) {
        long before = switches();
        u64 start = clock_ns();
        at = chase(at, HOPS);
        u64 took = clock_ns() - start;
        if (switches() == before)
            samples_add(&s, (double)took);
        else
            s.rejected++;
    }
    struct noise n = {1, (double)s.rejected / SAMPLES, 'C'};
    if (s.count > 0) {
        struct summary sum = stat_summary(&s, false);
        n.spread = (sum.median - sum.min) / sum.min;
    }
    n.grade = noise_grade(n.spread, n.rejected);
    samples_done(&s);
    free(lines);
    free(next);
    return n;
}
