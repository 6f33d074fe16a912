// G11 gcleak: a collector frees nothing that somebody still holds.

#include "lab/lab.h"

#include <loam/gc.h>

enum { REQUESTS = 2000, BYTES = 1024 };

struct entry {
    struct entry *next;
    char *response;
};
static struct entry *cache; // a variable of the program: a root
static loam_gc *gc;

static bool serve(bool remember)
{
    char *response = loam_gc_alloc_leaf(gc, BYTES);
    struct entry *e = loam_gc_make(gc, struct entry, .next = cache, .response = response);
    if (e == NULL)
        return false;
    if (remember)
        cache = e;
    return true;
}

static size_t live_after(bool remember)
{
    for (u32 i = 0; i < REQUESTS; i++) {
        if (!serve(remember))
            break;
    }
    // Old copies of pointers in dead stack frames would keep some: they are overwritten.
    volatile char wash[4096];
    for (u32 i = 0; i < sizeof wash; i++)
        wash[i] = 0;
    loam_gc_collect(gc);
    return loam_gc_usage(gc).live_objects;
}

static void run(struct lab *l)
{
    gc = loam_gc_new("requests", NULL);
    if (gc == NULL) {
        lab_cannot(l, NULL, "there is no memory for a collected heap");
        return;
    }
    size_t without = live_after(false), with = live_after(true);
    size_t held = loam_gc_usage(gc).live_bytes;
    cache = NULL;
    size_t cleared = live_after(false);
    lab_exact(l, "live_with_cache", (double)with, "objects");
    lab_table(l, "objects alive after a collection", "2,000 requests|objects");
    lab_row(l, "nothing is kept|%zu", without);
    lab_row(l, "each response stays in a cache|%zu", with);
    lab_row(l, "the cache is dropped|%zu", cleared);
    lab_check(l, "held_leaks", with >= 2 * REQUESTS && without < REQUESTS / 10,
              "%zu bytes stay that nobody will use: they are reachable", held);
    lab_check(l, "gc_prevents_leaks", with < REQUESTS, "%zu objects are kept by one variable",
              with);
    lab_check(l, "cleared_is_freed", cleared < REQUESTS / 10,
              "as soon as the variable is cleared, all but %zu are gone", cleared);
    gc = loam_gc_free(gc);
}

static const struct claim claims[] = {
    {S4, NULL, "a forgotten cache", "leaks in spite of GC", "held_leaks", 0, 0, NULL},
    {S4, NULL, "a cleared reference", "can be collected", "cleared_is_freed", 0, 0, NULL},
};

LAB_EXPERIMENT(G11) = {
    .question = "Can a program leak that has a garbage collector?",
    .prediction = "Yes: a reference that is kept keeps the object, whether it is needed or not.",
    .method =
        "2,000 requests on loam's collected heap make a response of 1 KiB each. First nothing "
        "keeps them, then a list that hangs on one variable does, as a cache in JavaScript "
        "would. After each a full collection is made, and what is alive is counted.",
    .look = "Without the cache next to nothing, with it all. No leak scan calls this a leak: it is "
            "reachable. Growth is the witness (G8, G9), or 'loam report --reachable'.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
