// alike.h: places that a reader could not tell apart become one.
//
// In a stripped program four calls from one function are four places, which are shown by the same
// four lines: the same names, no source lines. Such places are one to whoever reads them, and
// together they may be the largest. Tools get them apart (JSON, exports, the page).
#pragma once

#include "report/place.h"
#include "report/symbol.h"

struct alike_limits {
    u32 places;     // only this many of the largest by each measure are looked at: it needs names
    u32 lines;      // of a stack are shown
    u32 lines_leak; // the same for a place that leaks
};

void alike_join(struct places *p, struct model *m, struct symbols *symbols, struct alike_limits l);
