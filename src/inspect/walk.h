// walk.h: every type in a file's debug information, wherever it stands.
//
// Debug information may be in the file, in the file that its build-id names, split into a .dwo
// file a unit (found beside the objects) or a .dwp (see package.h), in type units, and shared
// between files by dwz. All of it is walked; what cannot be found is counted.
#pragma once

#include "inspect/image.h"

struct walk {
    // Called for each struct, class and union with a size, and each typedef of one without a name;
    // `scope` is "ns::Outer::" or "". Not 0: stop, and return it.
    int (*each)(void *ctx, Dwarf_Die *die, const char *scope);
    void *ctx;
    u64 units;         // how many were walked
    u64 units_missing; // bodies of units that are in no file that was found
    char missing[256]; // the name of the first of those files
};

int walk_types(struct walk *w, struct image *im, Dwarf *dwarf);
