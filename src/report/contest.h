// contest.h: which allocator is how good at what: tables, means and one verdict.
//
// A contest arranges trials as one cell of values per quantity, allocator, program and round, so
// that tables, plot and verdict all read the same numbers.
#pragma once

#include "report/ink.h"
#include "report/sample.h"
#include "report/trials.h"

enum quantity { QUANTITY_CPU, QUANTITY_WALL, QUANTITY_PEAK, QUANTITIES };

struct contest {
    const struct trials *t;
    u32 reference; // the allocator that others are compared with
    u32 rounds;    // at most SAMPLE_MAX are looked at
    double *value; // [quantity][allocator][program][round]; NAN where there was no good run
};

// 0, or -1 with a sentence: there is no allocator called `reference`.
int contest_init(struct contest *c, const struct trials *t, const char *reference);
void contest_done(struct contest *c);

// Values of one program, by round.
const double *contest_values(const struct contest *c, enum quantity q, u32 allocator, u32 program);
// Over the reference. NAN where one of the two has no good run.
double contest_ratio(const struct contest *c, enum quantity q, u32 allocator, u32 program);
// The geometric mean of the ratios over all programs that count for this quantity.
double contest_mean(const struct contest *c, enum quantity q, u32 allocator, u32 *ret_used);
struct interval contest_mean_interval(const struct contest *c, enum quantity q, u32 allocator);

// All tables: time and memory, program by program, with means; then what programs told themselves.
void contest_print_tables(const struct contest *c, struct ink *k);
// For one program: who is best, by how much, and how sure that is.
void contest_print_verdict(const struct contest *c, struct ink *k);
// Runs that failed, each once, with the outcome. false, and nothing printed, if there are none.
bool contest_print_failures(const struct contest *c, struct ink *k);
// All of it as one JSON object. Returns whether any run failed.
bool contest_print_json(const struct contest *c, FILE *out);
