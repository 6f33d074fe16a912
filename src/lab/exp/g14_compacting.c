// G14 compacting: does a collector move what it keeps?

#include "lab/lab.h"

#include <loam/gc.h>
#include <stdlib.h>

enum { OBJECTS = 20000, KEEP_EACH = 10, BYTES = 256 };

static void **kept; // a table of the collected heap: a root, as this variable is one
static uintptr_t *before;

static void run(struct lab *l)
{
    loam_gc *gc = loam_gc_new("moving", NULL);
    u32 count = OBJECTS / KEEP_EACH, same = 0;
    before = calloc(count, sizeof *before);
    kept = gc == NULL ? NULL : loam_gc_alloc(gc, count * sizeof *kept);
    if (kept == NULL || before == NULL) {
        lab_cannot(l, NULL, "there is no memory for a collected heap");
        return;
    }
    loam_gc_hold(gc);
    for (u32 i = 0; i < OBJECTS; i++) {
        void *p = loam_gc_alloc(gc, BYTES);
        if (i % KEEP_EACH == 0) {
            kept[i / KEEP_EACH] = p;
            before[i / KEEP_EACH] = (uintptr_t)p;
        }
    }
    loam_gc_let(gc);
    size_t held_before = loam_gc_usage(gc).held_bytes;
    int r = loam_gc_collect(gc);
    loam_gc_stats s = loam_gc_usage(gc);
    for (u32 i = 0; i < count; i++)
        same += (uintptr_t)kept[i] == before[i] && kept[i] != NULL;
    if (r != 0) {
        lab_cannot(l, NULL, "the collection was refused");
        return;
    }
    double mib = 1.0 / (double)MiB;
    lab_table(l, "one object in ten survives", "MiB|before|after");
    lab_row(l, "held by the heap|%.2f|%.2f", (double)held_before * mib, (double)s.held_bytes * mib);
    lab_row(l, "in live objects|%.2f|%.2f", (double)OBJECTS * BYTES * mib,
            (double)s.live_bytes * mib);
    lab_check(l, "compacts", same == 0 && held_before > s.held_bytes,
              "%u of %u survivors stayed at their address: loam's collector marks and sweeps", same,
              count);
    lab_exact(l, "moved", count - same, "objects");
    lab_exact(l, "held_over_live", (double)s.held_bytes / (double)s.live_bytes, "x");
    lab_note(l, "C's pointers cannot be rewritten, so nothing may move; the holes are reused by "
                "objects of the same size.");
    gc = loam_gc_free(gc);
    free(before);
}

static const struct claim claims[] = {
    {S4, NULL, "a garbage collector", "compacts memory", "compacts", 0, 0, NULL},
};

LAB_EXPERIMENT(G14) = {
    .question = "Does a garbage collector compact memory?",
    .prediction =
        "Some do: those of Java and JavaScript move survivors together. One for C cannot.",
    .method = "20,000 objects on loam's collected heap, of which a table keeps every tenth. Their "
              "addresses are noted down, disguised as numbers in ordinary memory; after a full "
              "collection they are compared with the table's pointers.",
    .look = "All survivors are where they were. What the heap holds stays more than what lives in "
            "it: the price of not moving, and why fragmentation is still a matter here.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
