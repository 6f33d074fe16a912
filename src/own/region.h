// region.h: what a region holds, for who looks for pointers.
#pragma once

#include <loam/region.h>

// Calls `see` with what was handed out of each block. The registry's locks are held (owner.h).
void region_each_block(const loam_region *r,
                       void (*see)(void *ctx, const void *from, const void *to), void *ctx);
