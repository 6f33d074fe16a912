// layout_view.h: layouts, printed for people and for machines.
#pragma once

#include "inspect/structs.h"

#include <stdio.h>

struct layout_view {
    const char *path;
    const struct structs *structs;
    u32 rows; // of the list
    bool all; // also what the system's headers declare
};

// The worst structs first, one a line.
void layout_list(FILE *out, const struct layout_view *v);
// Each struct in full: its members, its holes, its map in cache lines, a better order.
void layout_show(FILE *out, const struct layout_view *v);
void layout_json(FILE *out, const struct layout_view *v); // schema "loam-layout/1"
