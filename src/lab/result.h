// result.h: what an experiment has reported, on its way to JSON (docs/lab-json.md).
#pragma once

#include "lab/lab.h"

#include <jansson.h>

enum {
    VERDICT_HOLDS,
    VERDICT_PARTLY,
    VERDICT_DIFFERS,
    VERDICT_CANNOT,
    VERDICT_INCONCLUSIVE,
    VERDICTS
};
extern const char *const verdict_name[VERDICTS]; // "holds", ...

struct result {
    json_t *metrics, *series, *tables, *pictures, *heats, *histograms, *notes;
    json_t *why, *partly, *cannot; // objects: key of a metric -> sentence; "" stands for all
    u32 kept, rejected;            // samples
    u32 clock_moved;               // blocks in which the core's clock did
    u32 bars;                      // groups of metrics that are drawn as bars
    u32 memory_count;
    struct {
        void *at;
        size_t bytes;
    } memory[64]; // given by lab_memory and lab_shared
    char folder[256];
};

void result_init(struct result *r);
// The experiment's object in the JSON, verdicts included. `grade` is that of the noise.
json_t *result_json(const struct result *r, const struct experiment *e, char grade);
// The last `count` metrics were timed against each other: they are drawn as bars.
void result_bars(struct result *r, size_t count);
json_t *result_summary_json(struct summary s);
