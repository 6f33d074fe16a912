// argv.h: paths and command lines from a recording, fit for a terminal.
#pragma once

#include "report/store.h"

// A terminated copy without control characters: see utf8.h.
char *argv_text(struct store *store, const char *text, size_t size);
// The arguments of a command, joined by NUL, as a person would type it.
char *argv_joined(struct store *store, const char *text, size_t size);
