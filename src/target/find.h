// find.h: the process that a record's pid means.
//
// A process writes the number that it knows of itself. In a pid namespace of its own (unshare,
// containers, browsers' sandboxes) another process has that number here, perhaps even init, and
// must not be stopped by mistake. So nobody is touched who does not map the recording, and what
// is found still has to prove that it is the one that asked (leaks.c).
#pragma once

#include "format/recording.h"
#include "target/maps.h"

#include <sys/types.h>

// Where the recording that is mapped at `rec` here is mapped in another process: by its file, as it
// need not have a name there. NULL if it is not.
const struct map *find_recording(const struct maps *ours, const struct maps *theirs,
                                 const struct recording *rec);

// Call `look` for the processes that map the recording and have that number, here or in a pid
// namespace, until it returns 0. Returns that, or why none would do.
int find_each(pid_t recorded, const struct maps *ours, const struct recording *rec,
              int (*look)(void *ctx, pid_t pid), void *ctx);
