// cfi.h: what .eh_frame says about one place in the code: where the caller's registers are.
//
// Every function that the compiler made has a description of its frame, for C++ exceptions, also
// in programs without exceptions and without frame pointers. It is a little program that, run up
// to a given pc, yields a row: how to compute the CFA (the caller's stack pointer) and where each
// saved register lies. cfi_find runs it. That costs some 300 ns, so rule.c keeps the results.
//
// Some rows are DWARF expressions. Instead of running an expression at each step we run it once,
// on symbols: everything that compilers and hand-written assembly really emit comes out as
// `register + constant` or `*(register + constant) + constant`, and what does not is given up.
// So a row holds no pointer into the module and outlives it.
#pragma once

#include "base/base.h"

// DWARF's numbers of the x86-64 registers, and two of our own for the base of a place.
enum {
    CFI_RBX = 3,
    CFI_RBP = 6,
    CFI_RSP = 7,
    CFI_R12 = 12,
    CFI_PC = 16, // the column of the return address
    CFI_REGS = 17,
    CFI_CFA = 17, // as a base: the frame's CFA
};

enum cfi_how {
    CFI_SAME = 0,  // the register still has the caller's value
    CFI_UNDEFINED, // it is lost; for CFI_PC: there is no caller
    CFI_AT,        // at *(base + off)
    CFI_VALUE,     // is base + off
    CFI_UNKNOWN,   // described by an expression that we do not follow
};

struct cfi_place {
    int32_t off;
    u8 how;  // enum cfi_how
    u8 base; // register, or CFI_CFA
    u16 pad;
};

struct cfi_row {
    struct cfi_place cfa; // CFI_VALUE: base + off; CFI_AT: *(base + off) + cfa_add
    int32_t cfa_add;
    u32 signal; // 1: the kernel pushed this frame; the pc above it is where it was interrupted
    struct cfi_place reg[CFI_REGS];
};

// A module as _dl_find_object tells it.
struct cfi_module {
    const u8 *start, *end; // addresses that it covers
    const u8 *hdr;         // its .eh_frame_hdr, or NULL
};

// The row for the instruction at pc. False when the module has no description of it, or one that
// makes no sense; *ret_row is then undefined. Reads only between m->start and m->end.
bool cfi_find(const struct cfi_module *m, u64 pc, struct cfi_row *ret_row);
