// needs.h: the libraries that a file needs, and theirs: where the loader would find them.
//
// Follows ld.so(8): DT_RPATH (of the file and of those that load it) unless there is a
// DT_RUNPATH, LD_LIBRARY_PATH, DT_RUNPATH, /etc/ld.so.cache, the usual folders. A library for
// another machine is passed over, as the loader does it.
#pragma once

#include "inspect/facts.h"

struct needs {
    struct library *items; // those that the file names first, then those that these need
    u32 count, direct, missing;
    bool foreign; // the file is for another machine, whose libraries are not searched for here
};

// Everything lives in the facts' store.
struct needs needs_of(struct facts *f);
