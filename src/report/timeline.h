// timeline.h: moments, labels and threads of a recording, as the model has them.
//
// Used by load.c alone. Records are taken in as they come, and settled when all sites stand where
// they will stay: only then can a moment point to its sites.
#pragma once

#include "report/model.h"

struct timeline {
    struct model *m;
    u32 moments_room, labels_room, threads_room, points_room;
    struct timeline_point *points; // of all labels, not yet in place
    u32 points_count;
};

// A record of kind RECORD_THREAD or behind it, of `process`. False if it makes no sense.
bool timeline_add(struct timeline *t, struct process *process, const struct record *r,
                  size_t bytes);
// Put everything in order; `site` finds a site by the numbers of its process and its own, or NULL.
void timeline_settle(struct timeline *t, struct site *(*site)(void *ctx, u32 process, u32 id),
                     void *ctx);
