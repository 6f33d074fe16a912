// text.h: the lab's document on a terminal. Everything is read from the JSON (docs/lab-json.md), so
// that a file that was kept looks as the run itself did.
#pragma once

#include "lab/registry.h"
#include "report/ink.h"

#include <jansson.h>

// One experiment: a line for each claim; with `whole` also metrics, curves, tables and notes.
void text_experiment(struct ink *k, const json_t *experiment, bool whole);
// The sum: how many claims hold, differ, ...; the machine and its noise.
void text_summary(struct ink *k, const json_t *document);
void text_list(struct ink *k, const char *chosen);
void text_explain(struct ink *k, const struct entry *e);
// A number with three digits or so, and its unit.
#define TEXT_NUMBER 96
const char *text_number(char out[TEXT_NUMBER], double value, const char *unit);
