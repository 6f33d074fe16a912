// symtab.h: which function of a symbol table covers an address.
//
// libdwfl answers that by looking at every symbol, each time: of node's 110,000 symbols, for 5,000
// frames, that was eleven seconds. Here they are sorted once.
#pragma once

#include "base/base.h"

#include <elfutils/libdwfl.h>

struct symtab_entry {
    GElf_Addr start;
    GElf_Xword size;  // 0: not told, as of some code written in assembly
    const char *name; // the module's
    u32 rank;         // of two at one address, the higher one is shown
};

struct symtab {
    struct symtab_entry *entries; // NULL until somebody asks
    size_t count;
    bool listed;
};

// The name of the function at `at`, counted as dwfl does; NULL if no symbol really covers it.
const char *symtab_find(struct symtab *t, Dwfl_Module *mod, GElf_Addr at);
void symtab_done(struct symtab *t);
