// owners.h: regions, pools, collected heaps and tasks: what they hold, by name.
#pragma once

#include "report/ink.h"
#include "report/model.h"

#include <jansson.h>

// Take a record in; false when it makes no sense.
bool owners_add(struct model *m, const struct record *r, size_t bytes);
// How long threads stood still; false when it makes no sense.
bool owners_add_pauses(struct model *m, const struct record *r, size_t bytes);
// All records are in: put those in front that hold most.
void owners_settle(struct model *m);
// A region that is there at the end, holds much and was never emptied: it will only grow.
bool owners_grows(const struct owner *o);

// The report's section; nothing without owners. `max` lines, 0 for all.
void owners_text(struct ink *k, const struct model *m, u32 max);
json_t *owners_json(const struct model *m);
json_t *owners_pauses_json(const struct model *m);
