// loam.h: all of loam's headers at once.
//
// Each part has a header of its own, which is its manual; include those you use. This one is for
// small programs, and for a look around:
//
//     loam_scratch(tmp);
//     puts(loam_printf(&tmp, "%zu bytes", loam_heap_usage().live_bytes));
//
// In C++ include loam.hpp, which includes this and adds what C++ can do better.
#ifndef LOAM_LOAM_H
#define LOAM_LOAM_H

#include <loam/alloc.h>
#include <loam/attr.h>
#include <loam/box.h>
#include <loam/chunk.h>
#include <loam/file.h>
#include <loam/gc.h>
#include <loam/heap.h>
#include <loam/label.h>
#include <loam/layout.h>
#include <loam/mutex.h>
#include <loam/once.h>
#include <loam/owner.h>
#include <loam/padded.h>
#include <loam/pool.h>
#include <loam/rc.h>
#include <loam/region.h>
#include <loam/scope.h>
#include <loam/slice.h>
#include <loam/task.h>
#include <loam/track.h>
#include <loam/vec.h>

#endif
