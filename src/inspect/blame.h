// blame.h: which place in the program a block of loam's heap came from.
//
// Known for processes under `loam run`: a block's tag names its site, and the site's stack stands
// in the recording that the process maps.
#pragma once

#include "report/ink.h"
#include "report/stack.h"
#include "target/recorded.h"

#include <jansson.h>

struct blame {
    bool known;
    struct model model;
    struct symbols *symbols;
    u32 process;               // index in the recording
    const struct site **by_id; // of that process, from `first` on
    u32 first, count;
};

// Nothing is known of a process without a recording. 0 or -ENOMEM.
int blame_load(struct blame *b, const struct recorded *r);
void blame_done(struct blame *b);
// The site of a tag's number; NULL if it is not known (allocated before, by a parent, not sampled).
const struct site *blame_site(const struct blame *b, u32 id);
// A site's stack from the present column on, at most `lines` lines.
void blame_stack(struct ink *k, struct blame *b, const struct site *site, u32 lines);
// The same as a list of "function  file:line".
json_t *blame_json(struct blame *b, const struct site *site);
