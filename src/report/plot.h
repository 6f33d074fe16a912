// plot.h: a contest as one SVG file: time against memory, and a bar for every program.
#pragma once

#include "report/contest.h"

// Write it; the caller checks the stream.
void plot_svg(const struct contest *c, FILE *out);
