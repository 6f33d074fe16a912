// bench.h: what every benchmark program shares: its arguments, random numbers, checks, threads.
//
// A program is one workload. It does the same work at every run (its random numbers are seeded),
// checks what it did, prints nothing that could differ from run to run but lines that start with
// "metric", and exits 1 with a sentence if something is wrong.
//
//     prog [-s SCALE] [-t THREADS] [-l LIVE] [MODE]
//
// SCALE multiplies the work (1 takes about a second; $BENCH_SCALE is its default), THREADS means
// what the program says it means, LIVE is a size such as 10M. Time is measured from outside.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KiB          ((size_t)1024)
#define MiB          (1024 * KiB)
#define GiB          (1024 * MiB)

#define BENCH_UNUSED __attribute__((unused))

struct bench {
    double scale;
    unsigned threads;
    size_t live;
    const char *mode; // "" if none was given
};

__attribute__((noreturn, cold)) static void bench_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: this is not so: %s\n", file, line, what);
    exit(1);
}
#define check(x) ((x) ? (void)0 : bench_fail(__FILE__, __LINE__, #x))

// ---------------------------------------------------------------- arguments

BENCH_UNUSED static size_t bench_size(const char *text)
{
    char *end;
    double n = strtod(text, &end);
    size_t unit = *end == 'K' ? KiB : *end == 'M' ? MiB : *end == 'G' ? GiB : 1;
    return (size_t)(n * (double)unit);
}

// Parse the arguments; `b` comes with the program's defaults.
BENCH_UNUSED static struct bench bench_args(int argc, char **argv, struct bench b)
{
    const char *scale = getenv("BENCH_SCALE");
    b.scale = scale == NULL ? 1 : strtod(scale, NULL);
    b.mode = b.mode == NULL ? "" : b.mode;
    for (int c; (c = getopt(argc, argv, "s:t:l:")) != -1;) {
        if (c == 's')
            b.scale = strtod(optarg, NULL);
        else if (c == 't')
            b.threads = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'l')
            b.live = bench_size(optarg);
        else
            exit(2);
    }
    if (optind < argc)
        b.mode = argv[optind];
    check(b.scale > 0);
    return b;
}

// `n` repetitions at scale 1, never less than one.
BENCH_UNUSED static size_t scaled(const struct bench *b, double n)
{
    n *= b->scale;
    return n < 1 ? 1 : (size_t)n;
}

// ---------------------------------------------------------------- random numbers

struct rng {
    uint64_t state;
};

static inline struct rng rng_seeded(uint64_t seed)
{
    struct rng r = {(seed + 1) * 0x9e3779b97f4a7c15u};
    return r;
}

static inline uint64_t rng_next(struct rng *r) // xorshift64*: short, and good enough for sizes
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545f4914f6cdd1du;
}

static inline size_t rng_below(struct rng *r, size_t n) // 0 .. n-1, n < 2^32
{
    return (size_t)(((rng_next(r) >> 32) * n) >> 32);
}

static inline size_t rng_between(struct rng *r, size_t low, size_t high) // both included
{
    return low + rng_below(r, high - low + 1);
}

// Sizes as programs ask for them: every doubling from low to high is as likely as any other.
static inline size_t rng_size(struct rng *r, size_t low, size_t high)
{
    unsigned doublings = 0;
    while (low << doublings < high)
        doublings++;
    size_t base = low << rng_below(r, doublings + 1);
    size_t size = base + rng_below(r, base);
    return size > high ? high : size;
}

// ---------------------------------------------------------------- memory and figures

static inline void *take(size_t size)
{
    void *p = malloc(size);
    check(p != NULL);
    return p;
}

// Write one word into every OS page of the block: it then is resident memory.
BENCH_UNUSED static void touch(void *block, size_t size)
{
    for (size_t i = 0; i < size; i += 4 * KiB)
        ((volatile char *)block)[i] = 1;
}

// Bytes of this process that are in memory now. Allocates nothing.
BENCH_UNUSED static size_t resident(void)
{
    char text[128] = "";
    FILE *f = fopen("/proc/self/statm", "r");
    check(f != NULL);
    char own[256]; // else stdio would take a buffer from the heap that is being measured
    setvbuf(f, own, _IOFBF, sizeof own);
    check(fgets(text, sizeof text, f) != NULL);
    fclose(f);
    char *pages = strchr(text, ' ');
    return strtoul(pages, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

// A figure that the runner shows beside time and memory, in its own unit.
BENCH_UNUSED static void metric(const char *name, double value, const char *unit)
{
    printf("metric %s %.4g %s\n", name, value, unit);
}

BENCH_UNUSED static double clock_seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

BENCH_UNUSED static void sleep_ms(unsigned ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

// ---------------------------------------------------------------- threads

enum { BENCH_THREADS_MAX = 256 };

BENCH_UNUSED static pthread_t thread_start(void *(*run)(void *), void *argument)
{
    pthread_t t;
    check(pthread_create(&t, NULL, run, argument) == 0);
    return t;
}

// Run `run(&args[i])` in n threads and wait for them all.
BENCH_UNUSED static void threads_run(unsigned n, void *(*run)(void *), void *args, size_t arg_size)
{
    pthread_t t[BENCH_THREADS_MAX];
    check(n >= 1 && n <= BENCH_THREADS_MAX);
    for (unsigned i = 0; i < n; i++)
        t[i] = thread_start(run, (char *)args + i * arg_size);
    for (unsigned i = 0; i < n; i++)
        pthread_join(t[i], NULL);
}
