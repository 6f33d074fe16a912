// trace.c: where the calling thread is, for those who cannot unwind.
#include "heap/trace.h"

#include <stdatomic.h>

static struct {
    _Atomic(const struct trace_source *) source; // relaxed: set by a constructor, then constant
} the_trace;

static const struct trace_source *source(void)
{
    return atomic_load_explicit(&the_trace.source, memory_order_relaxed);
}

void trace_set_source(const struct trace_source *s)
{
    atomic_store_explicit(&the_trace.source, s, memory_order_relaxed);
}

bool trace_begin(void)
{
    if (source() == NULL)
        return false;
    source()->begin();
    return true;
}

u32 trace_here(u64 *ret_pc, u32 max)
{
    return source()->here(ret_pc, max);
}

void trace_name(u64 pc, char *ret, size_t size)
{
    source()->name(pc, ret, size);
}
