// html.h: a recording as one HTML page; web/src/report reads the data that are written here.
#pragma once

#include "report/model.h"

#include <stdio.h>

// 0, or -1 when `out` did not take it all.
int html_report(FILE *out, struct model *m);
