// G8 growleak: a megabyte each second, and a tool that sees the slope.

#include "lab/lab.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 512 };

// The exercise as it is written, but for its clock: a second is a twentieth of one here, and it
// ends by itself. Before it, a while in which each string takes the place of the last one.
static const char program[] = "import time\n"
                              "for second in range(%llu):\n"
                              "    kept = ['x' * 1000000]\n"
                              "    time.sleep(0.05)\n"
                              "leak = kept\n"
                              "for second in range(%llu):\n"
                              "    leak.append('x' * 1000000)\n"
                              "    time.sleep(0.05)\n";
#define SECOND_STRING 2.4e6 // live bytes between one string and two, interpreter included

struct line {
    double second[MOST], bytes[MOST];
    u32 count;
};

// The recording's timeline, from when the program's first string is there.
static void timeline(const struct lab_watched *w, struct line *line)
{
    size_t i;
    json_t *m;
    line->count = 0;
    json_array_foreach(json_object_get(w->report, "moments"), i, m)
    {
        double bytes =
            (double)json_integer_value(json_object_get(json_object_get(m, "live"), "bytes"));
        if (line->count == MOST || (line->count == 0 && bytes < 1.4e6))
            continue;
        line->second[line->count] =
            (double)json_integer_value(json_object_get(m, "at_ns")) * 1e-9 / 0.05;
        line->bytes[line->count++] = bytes;
    }
    while (line->count > 0 && line->bytes[line->count - 1] < 1.4e6)
        line->count--; // its end, where all is given back
}

// The slope that half of all pairs of points stay below: one odd moment does not move it.
static double slope(const struct line *t)
{
    struct samples pairs = {0};
    for (u32 i = 0; i < t->count; i += 1 + t->count / 60) {
        for (u32 k = i + 1; k < t->count; k += 1 + t->count / 60) {
            if (t->second[k] - t->second[i] > 3)
                samples_add(&pairs, (t->bytes[k] - t->bytes[i]) / (t->second[k] - t->second[i]));
        }
    }
    double s = stat_summary(&pairs, false).value;
    samples_done(&pairs);
    return s / 1e6;
}

static struct line part(const struct line *t, u32 from, u32 to)
{
    struct line p = {.count = to - from};
    memcpy(p.second, t->second + from, p.count * sizeof *p.second);
    memcpy(p.bytes, t->bytes + from, p.count * sizeof *p.bytes);
    return p;
}

static void judge(struct lab *l, const struct line *t)
{
    u32 turn = 0;
    for (u32 i = 0; i < t->count; i++)
        turn = t->bytes[i] < SECOND_STRING ? i + 1 : turn;
    struct line before = part(t, 0, turn), after = part(t, turn, t->count);
    if (before.count < 5 || after.count < 5) {
        lab_cannot(l, NULL, "the recording has too few moments to see a slope in");
        return;
    }
    double stays = slope(&before), grows = slope(&after);
    u32 s = lab_series(l, "live bytes", "seconds", "MB");
    for (u32 i = 0; i < t->count; i += 1 + t->count / 60)
        lab_point(l, s, t->second[i], stat_scale(stat_exact(t->bytes[i]), 1e-6));
    lab_exact(l, "leak_mb_a_second", grows, "MB/s");
    lab_exact(l, "healthy_mb_a_second", stays, "MB/s");
    lab_check(l, "told_apart", grows > 0.3 && stays < 0.1 * grows,
              "%.2f MB a second against %.2f before", grows, stays);
    lab_why(l, "leak_mb_a_second", "the machine is busy: the program's seconds last longer");
}

static void run(struct lab *l)
{
    char text[512];
    const char *python = lab_python(l);
    char *argv[] = {(char *)python, "-S", "-c", text, NULL};
    struct lab_watched w;
    static struct line t;
    unsigned long long seconds = lab_pick(l, 16, 40);
    int n = snprintf(text, sizeof text, program, seconds / 2, seconds);
    if (python == NULL || n < 0 || lab_watch(l, argv, 15, &w) != 0)
        return;
    timeline(&w, &t);
    judge(l, &t);
}

static const struct claim claims[] = {
    {S4, "exercise 2", "growth of the leak", "1 MB per second", "leak_mb_a_second", 0.8, 1.05,
     "MB/s"},
    {S4, "exercise 2", "seen as a slope", "memory keeps growing", "told_apart", 0, 0, NULL},
};

LAB_EXPERIMENT(G8) = {
    .question = "Can a leak of a megabyte a second be told from a program that only works?",
    .prediction = "By its slope: what is live grows and never comes back.",
    .method = "The exercise runs under 'loam run': Python appends a string of 1 MB to a list each "
              "second, where a second is 0.05 s here; before that it replaces its string instead. "
              "From the recording's timeline of live bytes comes a slope for each part: the median "
              "over pairs of moments, which no single moment can move.",
    .look = "The curve: a level, and a ramp. The list is still pointed to, so that no leak scan "
            "would call it leaked: growth is the only witness (G9, G11).",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
