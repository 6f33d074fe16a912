// run.h: running experiments, each in a process of its own.
#pragma once

#include "lab/registry.h"

#include <jansson.h>

struct run_options {
    bool full;
    u64 seed;
    // Called before each experiment and after it (then `done` is its object). NULL: nobody looks.
    void (*progress)(const struct entry *e, u32 index, u32 count, const json_t *done);
};

// Run those of `chosen`; the whole document of docs/lab-json.md. A ^C ends it after the experiment
// that was running; that one is left out.
json_t *run_all(const struct entry *const *chosen, u32 count, const struct run_options *o);
bool run_interrupted(void);
