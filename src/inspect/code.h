// code.h: one function of a file, disassembled, with its source lines and what matters in it.
#pragma once

#include "inspect/image.h"
#include "report/store.h"

enum code_kind {
    CODE_PLAIN,
    CODE_JUMP,   // without condition
    CODE_BRANCH, // with one
    CODE_CHECK,  // a branch to code that ends the program: a bounds check, an assertion
    CODE_CALL,
    CODE_RETURN,
    CODE_VECTOR, // works on several numbers at once
    CODE_TRAP,   // ends the program: ud2, brk, or a call of what never returns
};

struct insn {
    u64 at;   // address in the file
    u32 size; // bytes
    enum code_kind kind;
    const char *name, *operands; // "mov", "eax, edi"
    const char *remark;          // what an operand points to: a symbol, a string; or NULL
    u64 target;                  // of a jump or a call; UINT64_MAX: none that is known
    u32 goes_to;                 // index of the instruction it jumps to, or CODE_OUTSIDE
    const char *file;            // source; NULL: unknown
    u32 line;
};
#define CODE_OUTSIDE UINT32_MAX

struct code {
    struct store store;
    const char *path, *symbol;
    u64 at, size;
    u64 shift; // of an object file, whose addresses count from the section: libdwfl's minus ours
    struct insn *insns;
    u32 count;
    bool cut; // longer than what is shown
    u32 of_kind[CODE_TRAP + 1];
    u32 loops; // jumps backwards
    u64 frame; // bytes of stack that it asks for at once
};

struct code_options {
    bool att; // AT&T's order of operands
};

// Disassemble the function `name`: a symbol, mangled or not, its last part, or an address 0x...
// 0, or -1 with a sentence.
int code_load(struct code *c, struct image *im, const char *name, struct code_options o,
              char why[IMAGE_WHY]);
void code_done(struct code *c);
const char *code_kind_word(enum code_kind kind); // "branch", "bounds check", ...; "" for plain
