// scope.h: the functions at an address of a compilation unit: those inlined there, and the real
// one.
//
// libdw walks through the whole unit for each such question: six seconds for the 3,000 frames of a
// Python with debug information. Here the functions of a unit are listed once, in order of their
// addresses, and only the insides of the one that is hit are looked at.
#pragma once

#include "report/store.h"

#include <elfutils/libdw.h>

struct scope_function {
    Dwarf_Addr start, end;
    Dwarf_Off die;
};

struct scope_unit {
    Dwarf_Off offset; // of the unit's DIE: in a split unit and in the main file it may be the same
    Dwarf *dwarf;
    struct scope_function *functions; // in order of start
    size_t count, room;
    struct scope_unit *next; // of one key
};

struct scopes {
    struct table units;
};

// DIEs of inlined subroutines and, last, of the subprogram around them, innermost first; how many,
// at most `most`. 0: no function of the unit covers `pc`.
size_t scope_find(struct scopes *s, Dwarf_Die *cu, Dwarf_Addr pc, Dwarf_Die *out, size_t most);
void scope_done(struct scopes *s);
