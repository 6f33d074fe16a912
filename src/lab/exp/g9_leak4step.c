// G9 leak4step: baseline, exercise, idle, compare.

#include "lab/lab.h"

#include <jansson.h>
#include <loam/label.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MB = 1000000, BASELINE = 10, LEFT = 40, PASSING = 20 };

static char *cache[BASELINE + LEFT];

static char *megabyte(void)
{
    char *p = malloc(MB);
    if (p == NULL)
        exit(1);
    memset(p, 1, MB);
    return p;
}

// What a request leaves behind in a cache that nobody empties.
__attribute__((noinline)) static void remember(u32 i)
{
    cache[i] = megabyte();
}

// What a request takes and gives back.
__attribute__((noinline)) static void work(void)
{
    char *p = megabyte();
    KEEP(p);
    free(p);
}

static void witness(u32 which)
{
    (void)which;
    for (u32 i = 0; i < BASELINE; i++)
        cache[i] = megabyte();
    loam_label("baseline");
    for (u32 i = 0; i < LEFT; i++)
        remember(BASELINE + i);
    for (u32 i = 0; i < PASSING; i++)
        work();
    loam_label("exercised");
    loam_label("idle");
    KEEP(cache); // a cache that nobody reads would not even be written
}

// Live bytes at a label, in MB; -1 if the recording does not have it.
static double live_at(const json_t *report, const char *label)
{
    size_t i;
    json_t *m;
    json_array_foreach(json_object_get(report, "labels"), i, m)
    {
        const char *name = json_string_value(json_object_get(m, "name"));
        const json_t *live = json_object_get(m, "live");
        if (name != NULL && strcmp(name, label) == 0)
            return (double)json_integer_value(json_object_get(live, "bytes")) / MB;
    }
    return -1;
}

static void compare(struct lab *l, const char *recording)
{
    struct lab_end end;
    char self[64];
    char *argv[] = {self, "diff", (char *)recording, "--from", "baseline", "--to", "idle", NULL};
    snprintf(self, sizeof self, "/proc/%d/exe", (int)getpid());
    if (lab_program(l, argv, 10, &end) != 0)
        return;
    lab_check(l, "place_named",
              strstr(end.said, "remember") != NULL && strstr(end.said, " work ") == NULL,
              "loam diff --from baseline --to idle names remember, and not work");
    lab_picture(l, "loam diff --from baseline --to idle");
    char *rest = end.said;
    for (u32 n = 0; n < 14 && rest != NULL; n++)
        lab_line(l, "%.76s", strsep(&rest, "\n"));
}

static void run(struct lab *l)
{
    struct lab_watched w;
    if (lab_watch_witness(l, "G9", 0, &w) != 0)
        return;
    double leaked = (double)w.leaked_bytes / MB, baseline = live_at(w.report, "baseline"),
           idle = live_at(w.report, "idle");
    if (baseline < 0 || idle < 0) {
        lab_cannot(l, NULL, "the recording has no labels");
        return;
    }
    lab_exact(l, "baseline_mb", floor(baseline + 0.5), "MB");
    lab_exact(l, "idle_mb", floor(idle + 0.5), "MB");
    lab_exact(l, "leaked_by_scan_mb", leaked, "MB");
    compare(l, w.recording);
}

static const struct claim claims[] = {
    {S4, NULL, "at the baseline", "10 MB", "baseline_mb", 10, 10, "MB"},
    {S4, NULL, "idle, after the exercise", "50 MB", "idle_mb", 50, 50, "MB"},
    {S4, NULL, "comparing the two", "finds the leak", "place_named", 0, 0, NULL},
};

LAB_EXPERIMENT(G9) = {
    .question = "Do four steps find a leak that is still pointed to?",
    .prediction = "Note a baseline, exercise the program, let it idle, compare: what the exercise "
                  "left is the leak.",
    .method = "A witness under 'loam run' holds 10 MB, labels this moment, does sixty things of "
              "which forty leave a megabyte in a cache, labels again, and ends. 'loam diff' "
              "compares the labels.",
    .look = "From 10 to 50 MB, and one function by name; what came and went is not in it. The leak "
            "scan says 0: the cache still points to all of it.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .witness = witness,
};
