// B11 thrash: a working set that grows beyond its memory.

#include "lab/coldfile.h"
#include "lab/lab.h"
#include "lab/limit.h"
#include "lab/pages.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { POINTS = 7, STEP_MS = 80, BATCH = 32 };
#define LIMIT (16 * MiB)
static const double share[POINTS] = {0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0};

struct job {
    const struct limit *limit;
    int fd;
    u64 page;
    struct rng rng;
    struct {
        double rate, majors; // accesses a second, major faults an access
    } * at;                  // shared
};

static double measure(struct job *j, const volatile char *file, u64 pages, u64 ms,
                      double *ret_major)
{
    u64 majors = pages_major_faults(), start = clock_ns(), count = 0, now;
    do {
        for (u32 i = 0; i < BATCH; i++)
            (void)file[rng_below(&j->rng, pages) * j->page];
        count += BATCH;
        now = clock_ns();
    } while (now - start < ms * 1000000);
    *ret_major = (double)(pages_major_faults() - majors) / (double)count;
    return (double)count / ((double)(now - start) * 1e-9);
}

// In the child: each working set gets time to come in before it is measured.
static void grow(void *of)
{
    struct job *j = of;
    u64 most = 2 * LIMIT;
    char *file = mmap(NULL, most, PROT_READ, MAP_SHARED, j->fd, 0);
    if (file == MAP_FAILED || !limit_enter(j->limit))
        return;
    madvise(file, most, MADV_RANDOM);
    for (u32 i = 0; i < POINTS; i++) {
        u64 pages = (u64)(share[i] * (double)LIMIT) / j->page, until = clock_ns() + 300000000;
        for (u64 k = 0; k < pages && clock_ns() < until; k++)
            (void)*(volatile char *)(file + k * j->page);
        j->at[i].rate = measure(j, file, pages, STEP_MS, &j->at[i].majors);
    }
}

static void run(struct lab *l)
{
    struct limit limit;
    struct lab_end end;
    struct job j = {&limit, -1, l->machine->page, l->rng, lab_shared(l, 4096)};
    if (j.at == NULL || !limit_make(l, NULL, LIMIT, &limit))
        return;
    j.fd = coldfile_make(l, NULL, 2 * LIMIT);
    if (j.fd < 0)
        return;
    if (lab_child(l, grow, &j, 10, &end) == 0 && j.at[POINTS - 1].rate > 0) {
        u32 series = lab_series(l, "throughput", "working set / limit", "accesses/s");
        lab_table(l, "under a limit of 16 MiB", "working set|accesses a second|major faults each");
        for (u32 i = 0; i < POINTS; i++) {
            lab_point(l, series, share[i], stat_exact(j.at[i].rate));
            lab_row(l, "%.0f %%|%.0f|%.4f", share[i] * 100, j.at[i].rate, j.at[i].majors);
        }
        lab_measured(l, "drop", stat_exact(j.at[1].rate / j.at[POINTS - 1].rate), "x");
    } else {
        lab_cannot(l, NULL, "the limit on memory did not let the experiment end");
    }
    close(j.fd);
}

// "Grinds to a halt" is no figure: twenty times slower is taken for the least.
static const struct claim claims[] = {
    {S0, NULL, "working set twice the memory, against half of it", "thrashing", "drop", 20,
     INFINITY, "x"},
    {S4, NULL, "working set twice the memory, against half of it", "grinds to a halt", "drop", 20,
     INFINITY, "x"},
};

LAB_EXPERIMENT(B11) = {
    .question = "What happens when the working set outgrows the memory?",
    .prediction = "The system spends its time on moving pages, and the program stands still.",
    .method = "A child may have 16 MiB (a cgroup, as root only) and reads at random in a part of a "
              "mapped file, from a quarter of that to twice of it. Pages of a file are dropped and "
              "read again as pages of a heap are swapped out and in, and need no swap. The working "
              "set gets time to come in before accesses are counted.",
    .look = "Not a slope but a cliff, near 100 %: memory that is a quarter too small costs more "
            "than any cache miss, since each access may now wait for a disk.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
