// package.h: debug information in a .dwp, the package that dwp(1) makes of .dwo files.
//
// libdw (0.188) reads single .dwo files but no packages. A package is a few concatenated sections
// and an index that says which stretches of them each unit has. So each unit is laid out again as
// the .dwo file that it came from, in memory, and libdw reads that.
#pragma once

#include "inspect/image.h"

#include <elfutils/libdw.h>

// Call `each` for every unit in the package of `im`: its path with ".dwp" behind it. False if there
// is none. What `each` returned last, when it was not 0 and ended it, is in *ret_result.
bool package_each(struct image *im, int (*each)(void *ctx, Dwarf_Die *unit), void *ctx,
                  int *ret_result);
