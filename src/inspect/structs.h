// structs.h: all structs of a file, each once, with their layouts.
#pragma once

#include "inspect/layout.h"
#include "inspect/walk.h"
#include "report/store.h"

struct structs {
    struct store store;
    struct layout **items;
    u32 count, room;
    struct table seen;  // by name, place and size: a header's struct is in every unit
    const char *wanted; // only those of this name, or NULL
    u32 machine;
    const char *near; // nothing has the wanted name, but this contains it; or NULL
    struct walk walk; // what was walked, and what was not found
};

// Collect the structs of a file: all, or those called `wanted`: a whole name, its last part, or
// a template's name without its arguments. Largest saving first.
void structs_collect(struct structs *s, struct image *im, Dwarf *dwarf, const char *wanted);
void structs_done(struct structs *s);
// Whether a type of that whole name is what was asked for: see structs_collect.
bool structs_named(const char *name, const char *wanted);
// Where nobody who works on the program would reorder it: the system's headers.
bool structs_foreign(const struct layout *l);
