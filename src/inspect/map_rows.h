// map_rows.h: the picture of an address space: rows from low addresses to high.
#pragma once

#include "inspect/map.h"

// One row for each stretch of one owner, small ones together; with o->all one for each mapping and
// owner, with o->pages one for each run of pages too.
void map_rows(struct ink *k, const struct map_view *m, const struct map_options *o);
