// toolkit.h: what the programs that compare ownership toolkits share.
//
// Each program measures one library at the same operations, and prints a line for each:
//
//     OPERATION LIBRARY VALUE UNIT
//
// ns are of CPU time and an operation, the median of nine runs of some milliseconds. Objects have
// 32 bytes. `table` runs all programs in turn, several rounds, and prints the medians side by side.
#pragma once

#include "bench.h"

#include <pthread.h>

#define OBJECTS 1000 // that live at once
#define RUNS    9

struct object {
    struct object *next;
    long a, b, c;
};

// The compiler must take the object for used.
BENCH_UNUSED static inline void use(void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Run `fn`, which does `count` operations, a few times; at least five milliseconds a run.
BENCH_UNUSED static void measure(const char *operation, const char *library, void (*fn)(void),
                                 double count)
{
    double run[RUNS];
    unsigned times = 1;
    for (double t = 0; t < 5e6; times *= 2) {
        double begin = cpu_ns();
        for (unsigned i = 0; i < times; i++)
            fn();
        t = cpu_ns() - begin;
    }
    for (int r = 0; r < RUNS; r++) {
        double begin = cpu_ns();
        for (unsigned i = 0; i < times; i++)
            fn();
        run[r] = (cpu_ns() - begin) / times / count;
    }
    qsort(run, RUNS, sizeof *run, by_value);
    printf("%s %s %.2f ns\n", operation, library, run[RUNS / 2]);
    fflush(stdout);
}

BENCH_UNUSED static void tell(const char *operation, const char *library, double value,
                              const char *unit)
{
    printf("%s %s %.2f %s\n", operation, library, value, unit);
    fflush(stdout);
}

// From here on the process counts as one of several threads, which makes locks dearer.
static void *two_nothing(void *arg)
{
    return arg;
}
BENCH_UNUSED static void have_two_threads(void)
{
    pthread_t thread;
    check(pthread_create(&thread, NULL, two_nothing, NULL) == 0);
    check(pthread_join(thread, NULL) == 0);
}

// Kilobytes of RAM that the process has now.
BENCH_UNUSED static double rss_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    check(f != NULL && fscanf(f, "%*d %ld", &pages) == 1);
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1000;
}

// Bytes of RAM an object costs: `fn` makes a million of them, which stay.
BENCH_UNUSED static void weigh(const char *operation, const char *library, void (*fn)(void))
{
    double before = rss_kb();
    fn();
    tell(operation, library, (rss_kb() - before) * 1000 / 1e6, "bytes");
}
