// unit.h: which compilation unit holds an address.
//
// gcc writes a table for that question, .debug_aranges; clang does not. Asking each unit for its
// ranges takes seconds in a big program, for every frame, so it is done once and sorted.
#pragma once

#include "base/base.h"

#include <elfutils/libdwfl.h>

struct unit_range {
    Dwarf_Addr start, end; // as dwfl counts
    Dwarf_Addr bias;
    Dwarf_Die cu;
};

struct units {
    struct unit_range *ranges; // NULL until somebody needs them
    size_t count, room;
    bool listed;
};

// The unit of `at`, or NULL; *ret_bias is what to subtract from `at` in it. Borrowed.
Dwarf_Die *units_find(struct units *u, Dwfl_Module *mod, Dwarf_Addr at, Dwarf_Addr *ret_bias);
void units_done(struct units *u);
