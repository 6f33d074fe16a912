// source.h: lines of source files, read once.
#pragma once

#include "report/store.h"

struct source_file;
struct sources {
    struct store *store;
    struct source_file *files;
};

// A line's text without its indentation, fit for a terminal; NULL if the file is not there or not
// that long. Borrowed from the store.
const char *source_line(struct sources *s, const char *path, u32 line);
