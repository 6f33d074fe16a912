// G10 gc: how long one waits for a collector, and for destructors.

#include "lab/lab.h"

#include <loam/gc.h>
#include <loam/rc.h>
#include <stdlib.h>
#include <string.h>

struct tree {
    struct tree *left, *right;
};

enum { DEPTH = 14, CHURN_DEPTH = 6 };

static loam_gc *gc;

static struct tree *collected(u32 depth)
{
    struct tree *t = loam_gc_make(gc, struct tree, .left = NULL);
    if (t != NULL && depth > 0) {
        t->left = collected(depth - 1);
        t->right = collected(depth - 1);
    }
    return t;
}

static void tree_drop(struct tree *t)
{
    loam_rc_drop(t->left);
    loam_rc_drop(t->right);
}

static struct tree *owned(u32 depth)
{
    struct tree *t = loam_rc_new(struct tree, tree_drop, .left = NULL);
    if (t != NULL && depth > 0) {
        t->left = owned(depth - 1);
        t->right = owned(depth - 1);
    }
    return t;
}

// Each step makes a small tree and forgets it: somebody has to clean up.
static u32 churn(struct tree *(*grow)(u32), bool drop, double *us, u32 steps)
{
    for (u32 i = 0; i < steps; i++) {
        u64 start = clock_ns();
        struct tree *t = grow(CHURN_DEPTH);
        KEEP(t);
        if (drop)
            loam_rc_drop(t);
        us[i] = (double)(clock_ns() - start) * 1e-3;
    }
    return steps;
}

static double most(const double *v, u32 n)
{
    double m = 0;
    for (u32 i = 0; i < n; i++)
        m = v[i] > m ? v[i] : m;
    return m;
}

// What another language's collector says of 200,000 live objects, in milliseconds.
static void another(struct lab *l, const char *name, char *const argv[])
{
    struct lab_end end;
    if (!lab_has(argv[0]) || lab_program(l, argv, 10, &end) != 0 || end.status != 0) {
        lab_row(l, "%s|not installed", name);
        return;
    }
    lab_row(l, "%s|%.1f ms", name, strtod(end.said, NULL));
}

static void others(struct lab *l)
{
    const char *python = lab_python(l);
    lab_table(l, "one full collection, 200,000 live objects", "who|pause");
    if (python != NULL)
        another(l, "Python, gc.collect()",
                (char *[]){(char *)python, "-c",
                           "import gc, time\nx = [[i] for i in range(200000)]\n"
                           "t = time.time(); gc.collect(); print((time.time() - t) * 1000)",
                           NULL});
    another(l, "node --expose-gc, gc()",
            (char *[]){"node", "--expose-gc", "-e",
                       "const x = Array.from({length: 200000}, (_, i) => [i]);"
                       "const t = performance.now(); gc();"
                       "console.log(performance.now() - t, x.length)",
                       NULL});
}

static void run(struct lab *l)
{
    u32 steps = (u32)lab_pick(l, 8000, 40000);
    double *us = calloc(steps, sizeof *us);
    gc = loam_gc_new("trees", NULL);
    struct tree *kept = gc == NULL ? NULL : collected(DEPTH);
    if (us == NULL || kept == NULL) {
        lab_cannot(l, NULL, "there is no memory for a collected heap");
        return;
    }
    lab_distribution(l, "gc_step_us", us, churn(collected, false, us, steps), "us");
    double gc_most = most(us, steps);
    loam_gc_stats s = loam_gc_usage(gc);
    lab_distribution(l, "raii_step_us", us, churn(owned, true, us, steps), "us");
    struct tree *large = owned(DEPTH);
    u64 start = clock_ns();
    loam_rc_drop(large);
    double at_once = (double)(clock_ns() - start) * 1e-3;
    lab_check(l, "pauses", s.collections > 0 && s.pause_ns_max > 0,
              "%zu collections stopped the program for %.0f us at most, %.2f ms in all",
              s.collections, (double)s.pause_ns_max * 1e-3, (double)s.pause_ns_total * 1e-6);
    stat_sort(us, steps);
    lab_check(l, "raii_never_pauses", at_once < 20 * stat_quantile(us, steps, 0.5),
              "dropping one tree of %d objects took %.0f us in one go: RAII pauses, too, but where "
              "the program says",
              (2 << DEPTH) - 1, at_once);
    lab_exact(l, "collections", (double)s.collections, "times");
    lab_note(l, "The worst step with the collector: %.0f us. %d objects stayed alive.", gc_most,
             (2 << DEPTH) - 1);
    KEEP(kept);
    others(l);
    gc = loam_gc_free(gc);
    free(us);
}

static const struct claim claims[] = {
    {S4, NULL, "a garbage collector", "pauses the program", "pauses", 0, 0, NULL},
    {S3, "topic 9", "RAII", "no pauses", "raii_never_pauses", 0, 0, NULL},
};

LAB_EXPERIMENT(G10) = {
    .question = "How long does a program stand still while its memory is collected?",
    .prediction = "The texts: a collector pauses the program, destructors do not.",
    .method = "Small trees are made and forgotten, thousands of times: on loam's collected heap, "
              "with 32,767 objects alive, and with counted references that free each tree at once. "
              "Each step is timed alone. Then one large tree is dropped at once. Python's and "
              "node's collectors, if they are here, say what a full collection of 200,000 live "
              "objects takes them.",
    .look =
        "The median step and the worst one. A collector's worst steps come when it likes, those "
        "of destructors where a large owner dies.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
