// diff_print.h: a diff for people, for machines, and as a page.
#pragma once

#include "report/diff.h"
#include "report/ink.h"

struct diff_options {
    u32 gauge;
    u32 places_max;        // of those that grew, and of those that shrank; 0: all
    bool judge;            // fail_over is set
    u64 fail_over;         // growth that is no failure yet
    const char *from, *to; // how the two sides are called
};

// What fails: places that grew by more, or all together.
struct diff_verdict {
    bool failed;
    u32 places; // that grew by more than fail_over
    u64 grown;  // by which all together grew; 0 if they shrank
};
struct diff_verdict diff_judge(const struct diff *d, const struct diff_options *o);

void diff_text(struct ink *k, const struct diff *d, const struct diff_options *o);
int diff_json(FILE *out, const struct diff *d, const struct diff_options *o);
// For a diff of whole stacks (depth 0).
int diff_html(FILE *out, const struct diff *d, const struct diff_options *o);
