// name.h: names and paths cut down to what a reader needs.
#pragma once

#include "report/store.h"

// A function's name without its parameters and default allocators; std::string is called that.
const char *name_short(struct store *store, const char *function);
// A short name with template arguments left out, as far as it takes to get below `width`.
const char *name_fit(struct store *store, const char *function, size_t width);
// Relative to the working folder if it lies there, else its last three parts. Tidies `path` in
// place and returns a part of it.
const char *name_near_path(char *path);
// A path, with ":LINE" behind it or not, in at most `width` columns: folders in the middle become
// "…", and the last part stays as long as it can.
const char *name_fit_path(struct store *store, const char *path, size_t width);
