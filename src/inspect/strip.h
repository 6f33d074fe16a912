// strip.h: a range of addresses as a row of signs, one for each page or for several.
//
// A sign shows what most of its pages are, those that are absent left out; it is dim when less than
// half of them are there. So a row never looks fuller than it is.
#pragma once

#include "report/ink.h"
#include "target/space.h"

#define STRIP_MAX 64

// Pages that one sign stands for, when `bytes` are to fit in `width` signs.
u64 strip_pages(const struct space *s, u64 bytes, u32 width);
// Print the signs of [start, end), at most `width`. `run` is the first run that may lie in it.
// Returns how many signs there are.
u32 strip(struct ink *k, const struct space *s, u64 start, u64 end, size_t run, u32 width);
// One sign, in its colour.
void strip_sign(struct ink *k, enum residence_state state, bool dim);
// What states are called on a page: "small", "of files, clean".
extern const char *const strip_names[RES_COUNT];
