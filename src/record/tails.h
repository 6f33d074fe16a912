// tails.h: outer parts of stacks that were already written (F6 in recording.h).
//
// Stacks of one program end alike: most frames of a new one, counted from the outermost, are those
// of some stack before it. The outermost 4, 8, 12 ... frames of each site are remembered by a hash,
// every fourth because each costs 16 bytes of the program's memory. Under the lock of sites.h.
#pragma once

#include "base/base.h"

struct tail {
    u32 own;  // innermost frames that are to be written
    u32 site; // the site whose frames follow, 0: none
    u32 skip; // how many of that site's innermost frames are left out
};

// How much of this stack, frames innermost first, stands in earlier sites; and remember the rest as
// part of `site`. Without memory to remember, stacks are merely written whole.
struct tail tails_share(const u64 *frames, u32 count, u32 site);
// Forget all: another process begins.
void tails_clear(void);
