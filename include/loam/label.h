// label.h: give a name to this moment of a recording.
//
//     warm_up();
//     loam_label("baseline");
//     for (int i = 0; i < 1000; i++)
//         serve_one();
//     loam_label("after 1000 requests");
//
// When the program runs under `loam run`, what each place in it holds at this moment is noted under
// that name, and reports show it on the timeline; what grew from one label to another is what does
// not come back. Without loam it does nothing and costs a comparison: it may stay in the program.
// Nothing has to be linked for it.
//
// The shell's way, for a program that cannot be changed: loam label PID "baseline".
#ifndef LOAM_LABEL_H
#define LOAM_LABEL_H

#include <loam/attr.h>
#include <stdbool.h>
#include <stddef.h>

LOAM_BEGIN_C

// What loam_label calls, if loam is there.
LOAM_API __attribute__((weak)) bool loam_label_set(const char *name) LOAM_NOTHROW;

// Name this moment; of a long name the first 112 bytes count. Returns when it is noted, which takes
// some milliseconds where there are many places, and never longer than a second: true if it was
// noted, false if nobody records or nobody answered. Any thread may call it, also in a signal
// handler. Keeps errno.
static inline bool loam_label(const char *name)
{
    return loam_label_set != NULL && loam_label_set(name);
}

LOAM_END_C

#endif
