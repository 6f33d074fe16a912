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

const struct gauge gauges[] = {
    {"leaked", "Leaked", "bytes that nothing points to any more", GAUGE_BYTES, false, leaked},
    {"peak", "At the peak", "live bytes when the most memory was in use", GAUGE_BYTES, false,
     at_peak},
    {"live", "Live at the end", "bytes not freed when the recording ended", GAUGE_BYTES, false,
     live},
    {"blocks", "Live blocks", "blocks not freed when the recording ended", GAUGE_COUNT, false,
     live_blocks},
    {"allocated", "Allocated", "bytes allocated over the whole run", GAUGE_BYTES, true, allocated},
    {"allocations", "Allocations", "calls that returned a block", GAUGE_COUNT, true, allocations},
    {"reachable", "Reachable", "bytes still pointed to at the end: no leak", GAUGE_BYTES, false,
     reachable},
};
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
