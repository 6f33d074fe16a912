// count.h: the counters of a recording as numbers to report.
//
// Used by load.c alone. Resolves what the format keeps lazily (F5), as a remainder (lifetimes), or
// in other units (F8).
#pragma once

#include "report/model.h"

void count_process(struct process *to, const struct record_process *from);
// Add what a thread did.
void count_totals(struct process *to, const struct record_totals *from);
// `to->process` is filled in already. Lifetimes go to the store.
void count_site(struct site *to, const struct record_site *from, struct store *store);
// Add to the process what is counted in sites only.
void count_sum(struct process *p, const struct site *s);
