// output.h: a file that the user named for what a command writes. "-" is stdout, as everywhere.
//
//     FILE *out = output_open(c, path);
//     if (out == NULL)
//         return EXIT_LOAM;
//     return output_close(c, out, path, html_report(out, &m) == 0);
#pragma once

#include "cli/opt.h"

#include <jansson.h>

// NULL after having said why.
FILE *output_open(const struct command *c, const char *path);
// 0, or EXIT_LOAM after having said why. `whole`: all of it was written so far.
int output_close(const struct command *c, FILE *out, const char *path, bool whole);

// `o` as JSON to stdout, and `o` is released. 0, or EXIT_LOAM if there was no memory for it (then
// `o` may be NULL) or stdout is gone.
int output_json(json_t *o);
