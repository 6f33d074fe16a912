// text.h: the report on a terminal, made to answer in ten seconds.
//
// Everything hangs from one column: headings to the left of it, what they say to the right.
// First the leak and its largest places, then what was still reachable, the peak and where it
// came from, the totals, what a reader must know to trust them, and the next command to type.
#pragma once

#include "report/ink.h"
#include "report/model.h"

struct text_options {
    u32 places_max;   // places shown in the main list; 0: all
    bool full_stacks; // every frame, nothing folded, one place a stack
    bool reachable;   // list what was still reachable, too
    const char *next; // the command that shows this recording again: "loam report"
};
#define TEXT_PLACES 5
#define TEXT_PEAKS  3

void text_report(struct ink *k, struct model *m, const struct text_options *o);
