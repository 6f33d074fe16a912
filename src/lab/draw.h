// draw.h: curves, bars, histograms and heat maps in characters.
#pragma once

#include "report/ink.h"

#include <jansson.h>

// All drawings of one experiment.
void draw_experiment(struct ink *k, const json_t *experiment);
void draw_sparklines(struct ink *k, const json_t *experiment); // each curve in a line
void draw_bar(struct ink *k, double value, double most, u32 width);
size_t draw_width(const char *text); // in columns; 0 for NULL
