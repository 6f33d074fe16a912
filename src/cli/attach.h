// attach.h: finding the recording of a process that runs.
//
// The process itself says where it is: in LOAM, in the environment that it was started with, which
// is what the library read, too; or by mapping it, if a tool asked for samples later.
#pragma once

#include "format/recording.h"

#include <sys/types.h>

// Map the header of the recording of process `pid`, writable. Its name is that of the session's
// newest file, which is the one that requests go to. 0 or -1 with a sentence in `why`.
int attach_header(pid_t pid, struct recording **ret, char *why, size_t why_size);
void attach_done(struct recording *map);
// The path of its recording, or -1 with a sentence.
int attach_path(pid_t pid, char *ret, size_t size, char *why, size_t why_size);
