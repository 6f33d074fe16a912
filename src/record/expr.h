// expr.h: DWARF expressions, run on symbols instead of on registers.
#pragma once

#include "record/bytes.h"

// A value that is known up to one register: const, reg + off, or *(reg + off) + add.
enum { SYM_CONST = 0, SYM_LINEAR, SYM_LOADED };
struct symbol {
    u8 kind;
    u8 base;
    int64_t off;
    int64_t add; // SYM_LOADED
};

// Whether v fits in the 32 bits that rows have for it.
static inline bool expr_fits(int64_t v)
{
    return v == (int32_t)v;
}

// Run the expression at b, which begins with its length, and step over it. `with_cfa`: it starts
// with the CFA on its stack. False when the result has none of the three shapes or is a constant.
bool expr_run(struct bytes *b, u64 pc, bool with_cfa, struct symbol *ret);
