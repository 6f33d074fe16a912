// next.h: what to type next: the last lines of a report.
#pragma once

#include "report/ink.h"

#define NEXT_MAX 4

struct next {
    const char *base[NEXT_MAX], *option[NEXT_MAX], *why[NEXT_MAX]; // borrowed
    u32 count;
};

// One more command, `base` followed by `option` (or ""), and what it shows. Past NEXT_MAX: ignored.
void next_add(struct next *n, const char *base, const char *option, const char *why);
void next_print(struct ink *k, const struct next *n);
