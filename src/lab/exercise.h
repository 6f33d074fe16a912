// exercise.h: an exercise of the lessons, compiled and run as it is written.
#pragma once

#include "lab/lab.h"

// Compile `source` with the system's compiler and `flag` ("-pie"), and run it. False, and the
// claims on `key` say CANNOT and why, if there is no compiler, no folder, or it does not compile.
bool exercise_run(struct lab *l, const char *key, const char *source, const char *flag,
                  struct lab_end *ret_end);
// Did it end with status 0?
bool exercise_ok(const struct lab_end *end);
// What it said, into the picture that was begun.
void exercise_print(struct lab *l, const char *said);
