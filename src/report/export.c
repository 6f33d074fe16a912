// export.c: the table.

#include "report/export.h"

#include "report/json.h"

#include <string.h>

static int json_write(FILE *out, struct model *m, u32 gauge)
{
    (void)gauge;
    return json_report(out, m);
}

const struct export_format export_formats[] = {
    {"pprof", "a gzipped profile.proto: go tool pprof, Parca, Pyroscope, Grafana", true, false,
     pprof_write},
    {"folded", "one line a stack: flamegraph.pl, inferno", false, true, folded_write},
    {"speedscope", "a file for speedscope.app", false, false, speedscope_write},
    {"chrome", "the timeline for Perfetto and chrome://tracing", false, false, trace_write},
    {"json", "everything: the same as --json", false, false, json_write},
    {"openmetrics", "totals and the largest places: Prometheus", false, false, metrics_write},
};
const u32 export_formats_count = countof(export_formats);

const struct export_format *export_named(const char *name)
{
    for (u32 i = 0; i < export_formats_count; i++) {
        if (strcmp(export_formats[i].name, name) == 0)
            return &export_formats[i];
    }
    return NULL;
}
