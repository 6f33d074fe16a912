// count.h: the counters of a recording as numbers to report.
//
// Used by load.c alone. Resolves what the format keeps lazily (F5), as a remainder (lifetimes), or
// in other units (F8).
#pragma once

#include "report/model.h"

void count_process(struct process *to, const struct record_process *from);
// Add what a thread did.
void count_totals(struct process *to, const struct record_totals *from);
// Add a pen to the sum of those of its site (F10).
void count_pen(struct record_pen *sum, const struct record_pen *from, const struct process *p);
// `to->process` is filled in already. `pens`: their sum, or NULL. Lifetimes go to the store.
void count_site(struct site *to, const struct record_site *from, const struct record_pen *pens,
                struct store *store);
// Add to the process what is counted in sites only.
void count_sum(struct process *p, const struct site *s);
