// live.h: a recording that is still being written, or one that is not, looked at again and again.
#pragma once

#include "cli/opt.h"
#include "report/model.h"

#include <sys/types.h>

struct live {
    pid_t pid; // of the process that was asked about; 0: a file was
    char path[4096];
};

// What the operand means: a pid, a recording's file, or (NULL) the last recording. 0, or the exit
// status after saying what is wrong.
int live_find(const struct command *c, const char *operand, struct live *ret);
// Its state now; to be ended by load_done. 0, or -1 with a sentence in `why`.
int live_load(const struct live *l, struct model *ret, char *why, size_t why_size);
// The process that was asked about, the first one of a file; NULL if it is not in the recording.
const struct process *live_process(const struct live *l, const struct model *m);
bool live_ended(const struct live *l);
