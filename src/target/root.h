// root.h: loam's heap in another process, found without its help.
//
// The heap tells everything about itself through one structure, struct heap_root, which begins with
// a magic number and stands in the data of whatever file loam was linked into. So the writable data
// of the process's files is looked through: a few hundred kB, libloam.so's first. That works for
// stripped programs too, and for cores, which have memory and no files.
#pragma once

#include "scan/target.h"
#include "target/maps.h"

// The address of the heap's root; 0 when the process is not on loam's heap, or its memory may not
// be read (then *ret_error is -EPERM or the like, else 0).
u64 root_find(struct target *t, const struct maps *maps, int *ret_error);
