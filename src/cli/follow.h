// follow.h: sampling a process that nobody started for it: `loam sample PID on`.
#pragma once

#include "cli/opt.h"

#include <sys/types.h>

// Sample the process, one block in `mean` bytes (0: 512 KiB), until it ends or somebody ends us by
// a signal; then print the report. The recording is kept in `output`, or as the last one. Returns
// the exit status.
int follow_process(const struct command *c, pid_t pid, u64 mean, const char *output);
