// export.h: a recording in the languages of other tools.
//
// Each format is one file with one writer and one row in the table here. All of them tell every
// distinct stack with its functions, files and lines, but for OpenMetrics, which has the totals
// and the largest places.
#pragma once

#include "report/gauge.h"
#include "report/model.h"

#include <stdio.h>

struct export_format {
    const char *name;
    const char *help; // half a sentence
    bool binary;      // not for a terminal
    bool one_gauge;   // tells one number a stack, which `gauge` chooses
    // 0, or -1 when `out` did not take it all.
    int (*write)(FILE *out, struct model *m, u32 gauge);
};

extern const struct export_format export_formats[];
extern const u32 export_formats_count;
const struct export_format *export_named(const char *name); // or NULL

// The writers, each in the file of its name.
int pprof_write(FILE *out, struct model *m, u32 gauge);
int folded_write(FILE *out, struct model *m, u32 gauge);
int speedscope_write(FILE *out, struct model *m, u32 gauge);
int trace_write(FILE *out, struct model *m, u32 gauge);
int metrics_write(FILE *out, struct model *m, u32 gauge);
