// trace.h: where the calling thread is, for those who cannot unwind.
//
// The toolkit wants to say where something happened first and where again; the code that knows how
// to walk a stack belongs to the recorder, which the toolkit does not see. Both see the heap, so
// here is a table that the one fills in and the other reads, as with named owners (owner.h).
#pragma once

#include "base/base.h"

#define TRACE_FRAMES 12 // enough to recognise a place

struct trace_source {
    void (*begin)(void); // make ready; once, before threads
    // Return addresses of the calling thread, innermost first, without loam's own frames.
    u32 (*here)(u64 *ret_pc, u32 max);
    // "function+0x1c (program+0x11a9)", terminated.
    void (*name)(u64 pc, char *ret, size_t size);
};

void trace_set_source(const struct trace_source *source);
// False when nobody can tell.
bool trace_begin(void);
// After a trace_begin that was true.
u32 trace_here(u64 *ret_pc, u32 max);
void trace_name(u64 pc, char *ret, size_t size);
