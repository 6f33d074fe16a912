// compare.h: two documents of the lab, claim by claim: two machines, or the same one twice.
#pragma once

#include "report/ink.h"

#include <jansson.h>

// What differs, and how many verdicts agree. `a` and `b` are documents of docs/lab-json.md.
void compare_print(struct ink *k, const json_t *a, const json_t *b);
// Read one; NULL, and why, if it is none.
json_t *compare_load(const char *path, char *ret_why, size_t size);
