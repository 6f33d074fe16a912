// program.h: can loam see into this program? Asked before it is started.
//
// The library comes into a program by the dynamic loader's LD_PRELOAD. Where that cannot work, an
// empty report would look like a good one, so the reason is told instead, in one sentence.
#pragma once

#include <stddef.h>

// Find `name` as execvp(3) does and look at its file, and at the interpreter of a script.
// 0, or an exit status (EXIT_LOAM, EXIT_NO_EXEC, EXIT_NOT_FOUND) with a sentence in `why`.
int program_check(const char *name, char *why, size_t why_size);
