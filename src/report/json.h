// json.h: the report for machines; docs/report-json.md has the schema, "loam-report/1".
#pragma once

#include "report/model.h"

#include <stdio.h>

// Everything: every process, every place with its whole stack. 0, or -1 when `out` failed.
int json_report(FILE *out, struct model *m);
