// gc.h: the collectors that the programs gc_* compare, behind one table, and malloc beside them.
//
// Every allocation is a call through the table, for all alike. Boehm's collector is opened when it
// is asked for, so that building needs no package of it; where it is not installed the program says
// so and ends with status 77.
#pragma once

#include "bench.h"

#include <dlfcn.h>
#include <loam/gc.h>

struct peer {
    const char *name;
    void *(*take)(size_t size); // zeroed
    void *(*leaf)(size_t size); // the same, without pointers
    void (*give)(void *p);      // NULL: it collects
    void (*collect)(void);
};

// ---------------------------------------------------------------- loam

static loam_gc *peer_gc;
static size_t peer_snapshot_from;

static void *loam_take(size_t size)
{
    return loam_gc_alloc(peer_gc, size);
}
static void *loam_leaf(size_t size)
{
    return loam_gc_alloc_leaf(peer_gc, size);
}
static void loam_collect(void)
{
    check(loam_gc_collect(peer_gc) == 0);
}
static struct peer peer_loam(const char *name)
{
    peer_gc = loam_gc_new("bench", &(loam_gc_options){.snapshot_from = peer_snapshot_from});
    check(peer_gc != NULL);
    return (struct peer){name, loam_take, loam_leaf, NULL, loam_collect};
}

// ---------------------------------------------------------------- Boehm's collector, malloc

static void *boehm_name(const char *name)
{
    static void *library;
    if (library == NULL)
        library = dlopen("libgc.so.1", RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        fprintf(stderr, "libgc.so.1 is not installed (Debian: libgc1)\n");
        exit(77);
    }
    void *p = dlsym(library, name);
    check(p != NULL);
    return p;
}

static struct peer peer_boehm(void)
{
    ((void (*)(void))boehm_name("GC_init"))();
    return (struct peer){"boehm", (void *(*)(size_t))boehm_name("GC_malloc"),
                         (void *(*)(size_t))boehm_name("GC_malloc_atomic"), NULL,
                         (void (*)(void))boehm_name("GC_gcollect")};
}

static void *libc_take(size_t size)
{
    return calloc(1, size);
}

static struct peer peer_of(const char *mode)
{
    if (strcmp(mode, "boehm") == 0)
        return peer_boehm();
    if (strcmp(mode, "malloc") == 0)
        return (struct peer){"malloc", libc_take, libc_take, free, NULL};
    if (strcmp(mode, "loam-in-place") == 0)
        peer_snapshot_from = SIZE_MAX;
    else if (strcmp(mode, "loam") != 0 && *mode != 0) {
        fprintf(stderr, "modes: loam, loam-in-place, boehm, malloc\n");
        exit(2);
    }
    return peer_loam(peer_snapshot_from != 0 ? "loam-in-place" : "loam");
}

// ---------------------------------------------------------------- pauses

// What the program itself sees: the longest time between two looks at the clock, each after a few
// hundred allocations. Waiting for a sweep or for the kernel counts, whoever is to blame.
struct watch {
    double last, longest;
};
BENCH_UNUSED static inline void watch_look(struct watch *w)
{
    double now = clock_seconds(CLOCK_MONOTONIC);
    if (w->last != 0 && now - w->last > w->longest)
        w->longest = now - w->last;
    w->last = now;
}

BENCH_UNUSED static void tell_loam(void)
{
    if (peer_gc == NULL)
        return;
    loam_gc_stats s = loam_gc_usage(peer_gc);
    metric("collections", (double)s.collections, "");
    metric("snapshots", (double)s.snapshots, "");
    metric("pause_max", (double)s.pause_ns_max / 1e6, "ms");
    metric("sweep_max", (double)s.sweep_ns_max / 1e6, "ms");
    metric("marked", (double)s.marked_bytes / (double)(s.mark_ns_total + 1), "GB/s");
}
