// ram.h: what resident memory was for, and which places keep half-empty slabs in it.
#pragma once

#include "report/ink.h"
#include "report/model.h"

#include <jansson.h>

// Take a record in; `process` has its index, or is NULL for a sum. False when it makes no sense.
bool ram_add(struct model *m, u32 *room, struct process *process, const struct record *r,
             size_t bytes, struct site *(*site)(void *ctx, u32 process, u32 id), void *ctx);
// All records are in.
void ram_settle(struct model *m);

// The process with the highest RSS that was seen; NULL without accounts.
const struct process *ram_process(const struct model *m);
// Whether a part was told apart.
bool ram_knows(const struct ram *r, enum account_part part);
// Free bytes in RAM of slabs that are less than half live.
u64 ram_spare(const struct ram *r);
// Of that process, the account in which they are most: at the highest RSS, or the last one.
const struct ram *ram_fragmented(const struct model *m);

// The report's lines; nothing without accounts, or of small programs. `left`: the column that
// everything hangs from.
void ram_text(struct ink *k, const struct model *m, u32 left);
// An account, null if there is none; with `places`, pinned sites by the number of their place.
json_t *ram_json(const struct ram *r);
// The sums over time.
json_t *ram_line_json(const struct model *m);
