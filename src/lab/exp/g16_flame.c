// G16 flame: where the time goes, and where the memory comes from.

#include "lab/lab.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MB = 1000000, BLOCKS = 40 };

// Takes nearly all of the time and no memory.
__attribute__((noinline)) static void compute(void)
{
    u64 end = clock_ns() + 80000000;
    while (clock_ns() < end)
        __asm__ volatile("");
}

// Takes nearly all of the memory and no time: nothing is touched.
__attribute__((noinline)) static void fetch(void)
{
    for (u32 i = 0; i < BLOCKS; i++) {
        char *p = malloc(MB);
        KEEP(p);
        free(p);
    }
}

static void witness(u32 which)
{
    (void)which;
    u64 start = clock_ns();
    compute();
    u64 middle = clock_ns();
    fetch();
    u64 end = clock_ns();
    printf("%.3f\n", (double)(middle - start) / (double)(end - start));
}

// The part of all allocated bytes whose stack has `function` in it.
static double part_of(const json_t *report, const char *function)
{
    size_t i, k;
    json_t *place, *at;
    double in = 0, all = (double)json_integer_value(json_object_get(report, "allocated_bytes"));
    const json_t *frames = json_object_get(report, "frames");
    json_array_foreach(json_object_get(report, "places"), i, place)
    {
        double bytes = (double)json_integer_value(json_object_get(place, "allocated_bytes"));
        json_array_foreach(json_object_get(place, "stack"), k, at)
        {
            const char *name = json_string_value(json_object_get(
                json_array_get(frames, (size_t)json_integer_value(at)), "function"));
            if (name != NULL && strcmp(name, function) == 0)
                in += bytes;
        }
    }
    return all == 0 ? 0 : 100 * in / all;
}

static void folded(struct lab *l, const char *recording)
{
    struct lab_end end;
    char self[64];
    char *argv[] = {self,   "report",    "--export",        "folded",
                    "--by", "allocated", (char *)recording, NULL};
    snprintf(self, sizeof self, "/proc/%d/exe", (int)getpid());
    if (lab_program(l, argv, 10, &end) != 0)
        return;
    lab_picture(l, "loam report --export folded --by allocated, for flamegraph.pl");
    char *rest = end.said;
    for (u32 n = 0; n < 5 && rest != NULL && *rest != 0; n++)
        lab_line(l, "%.76s", strsep(&rest, "\n"));
}

static void run(struct lab *l)
{
    struct lab_watched w;
    if (lab_watch_witness(l, "G16", 0, &w) != 0)
        return;
    double time_in_compute = 100 * strtod(w.end.said, NULL);
    double fetched = part_of(w.report, "fetch"), computed = part_of(w.report, "compute");
    lab_table(l, "one program, two profiles", "function|of the time|of the bytes");
    lab_row(l, "compute|%.0f %%|%.0f %%", time_in_compute, computed);
    lab_row(l, "fetch|%.0f %%|%.0f %%", 100 - time_in_compute, fetched);
    lab_exact(l, "bytes_in_fetch", fetched, "%");
    lab_exact(l, "bytes_in_compute", computed, "%");
    lab_check(l, "time_is_memory", time_in_compute > 50 && computed > 50,
              "a profile of time blames compute, with %.0f %% of it; %.0f %% of the bytes are "
              "fetch's",
              time_in_compute, fetched);
    folded(l, w.recording);
}

static const struct claim claims[] = {
    {S4, NULL, "cargo flamegraph", "as a heap profile", "time_is_memory", 0, 0, NULL},
};

LAB_EXPERIMENT(G16) = {
    .question = "Does a flame graph of a program show who takes its memory?",
    .prediction = "The text lists 'cargo flamegraph' among heap profilers. It samples where the "
                  "processor is, which is something else.",
    .method =
        "A witness has a function that computes for 80 ms and allocates nothing, and one that "
        "allocates 40 MB and computes nothing. It takes its own times; 'loam run' counts its "
        "bytes by stack.",
    .look = "The two profiles have nothing in common. A heap flame graph has bytes for its widths: "
            "the folded lines below, given to flamegraph.pl, or 'loam report --html'.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .witness = witness,
};
