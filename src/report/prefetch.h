// prefetch.h: the symbols of a whole recording at once: from the shelf, or by several threads.
//
// A page or a JSON report asks for every frame of every stack. They are looked up module by module
// and in order of address; each thread reads modules for itself, as elfutils wants it.
#pragma once

#include "report/symbol.h"

// Look up all frames of the model's stacks. Few are left to be asked one by one.
void prefetch(struct symbols *s, struct model *m);
