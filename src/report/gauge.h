// gauge.h: what can be asked of a place as one number: bytes live, at the peak, leaked, …
//
// One table, from which pages, exports and diffs take their columns. A new gauge is one row.
#pragma once

#include "report/model.h"

enum gauge_unit { GAUGE_BYTES, GAUGE_COUNT };

struct gauge {
    const char *key;   // for machines and command lines: "peak"
    const char *label; // for people: "At the peak"
    const char *help;  // half a sentence
    enum gauge_unit unit;
    bool labels;  // known at each label
    bool scanned; // known if processes were looked through for leaks
    u64 (*of)(const struct place *p);
};

#define GAUGES_MAX 12
extern const struct gauge gauges[];
extern const u32 gauges_count; // at most GAUGES_MAX

// The number of the gauge with that key, or -1.
int gauge_named(const char *key);
