// recorded.h: the recording that a running process maps, read through its own memory.
//
// The recording is a file that has no name any more, or another user's; but the process has it
// mapped, so whoever may read its memory may read it. Needed for what the heap alone does not know:
// sizes that were asked for, and which site a block came from.
#pragma once

#include "format/recording.h"
#include "scan/target.h"
#include "target/smaps.h"

struct recorded {
    struct recording *recording; // a copy, taken while the process goes on; NULL: there is none
    size_t size;                 // bytes of it
    const struct record_process *process; // the record of the process that was asked about, or NULL
};

// The recording whose process record has this heap root and pid. 0 also when there is none;
// -ENOMEM, -ESRCH.
int recorded_load(struct recorded *r, struct target *t, const struct smaps *maps, pid_t pid,
                  u64 root);
void recorded_done(struct recorded *r);
// Whether a mapping looks like a recording, by its name.
bool recorded_is(const struct map *m);
