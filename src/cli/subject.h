// subject.h: the process that an inspection command looks at.
#pragma once

#include "cli/opt.h"

#include <sys/types.h>

// The one operand as a pid; -1 after saying what is wrong with it.
pid_t subject_pid(const struct command *c, int n, char **operands);
// Say why a process cannot be looked at (e is -ESRCH, -EACCES, ...). Returns the exit status.
int subject_refused(const struct command *c, pid_t pid, int e);
// Between two looks of --watch: false when the process has ended or nobody reads on.
bool subject_wait(pid_t pid, u32 seconds);
// A terminal is cleared before the next look; files get an empty line.
void subject_clear(FILE *out);
