// code_view.h: functions as instructions, printed for people and for machines.
#pragma once

#include "inspect/code.h"

#include <stdio.h>

// Instructions below their source lines, with arrows.
void code_print(FILE *out, const struct code *c);
// Two versions of one function side by side, source line by source line.
void code_print_both(FILE *out, const struct code *a, const char *name_a, const struct code *b,
                     const char *name_b);
// Schema "loam-asm/1"; `b` may be NULL.
void code_json(FILE *out, const struct code *a, const char *name_a, const struct code *b,
               const char *name_b);
