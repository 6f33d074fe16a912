// gauge.c: the table.

#include "report/gauge.h"

#include <string.h>

static u64 leaked(const struct place *p)
{
    return leaked_bytes(p->direct, p->indirect, p->cycle);
}

static u64 at_peak(const struct place *p)
{
    return p->at_peak;
}

static u64 live(const struct place *p)
{
    return p->live.bytes;
}

static u64 live_blocks(const struct place *p)
{
    return p->live.blocks;
}

static u64 allocated(const struct place *p)
{
    return p->alloc_bytes;
}

static u64 allocations(const struct place *p)
{
    return p->allocs;
}

static u64 reachable(const struct place *p)
{
    return p->reachable.bytes;
}

static u64 temporaries(const struct place *p)
{
    return p->churn->temporaries;
}

static u64 temporary_bytes(const struct place *p)
{
    return p->churn->temporary_bytes;
}

static u64 copied(const struct place *p)
{
    return p->churn->copied_bytes;
}

static u64 waste(const struct place *p)
{
    return p->live_capacity > p->live.bytes ? p->live_capacity - p->live.bytes : 0;
}

static u64 untouched(const struct place *p)
{
    return p->untouched_bytes;
}

// clang-format off
const struct gauge gauges[] = {
    {"leaked", "Leaked", "bytes that nothing points to any more",
     GAUGE_BYTES, false, true, leaked},
    {"peak", "At the peak", "live bytes when the most memory was in use",
     GAUGE_BYTES, false, false, at_peak},
    {"live", "Live at the end", "bytes not freed when the recording ended",
     GAUGE_BYTES, true, false, live},
    {"blocks", "Live blocks", "blocks not freed when the recording ended",
     GAUGE_COUNT, true, false, live_blocks},
    {"allocated", "Allocated", "bytes allocated over the whole run",
     GAUGE_BYTES, true, false, allocated},
    {"allocations", "Allocations", "calls that returned a block",
     GAUGE_COUNT, true, false, allocations},
    {"temporary", "Temporary", "bytes freed again by the thread's next heap call",
     GAUGE_BYTES, false, false, temporary_bytes},
    {"temporaries", "Temporaries", "blocks freed again by the thread's next heap call",
     GAUGE_COUNT, false, false, temporaries},
    {"copied", "Copied", "bytes that realloc had to copy",
     GAUGE_BYTES, false, false, copied},
    {"waste", "Rounding", "bytes that live blocks hold beyond what was asked for",
     GAUGE_BYTES, false, false, waste},
    {"untouched", "Untouched", "bytes of large live blocks that nobody has ever touched",
     GAUGE_BYTES, false, false, untouched},
    {"reachable", "Reachable", "bytes still pointed to at the end: no leak",
     GAUGE_BYTES, false, true, reachable},
};
// clang-format on
const u32 gauges_count = countof(gauges);
static_assert(countof(gauges) <= GAUGES_MAX, "rows have room for every gauge");

int gauge_named(const char *key)
{
    for (u32 i = 0; i < gauges_count; i++) {
        if (strcmp(gauges[i].key, key) == 0)
            return (int)i;
    }
    return -1;
}
