// shape.h: a struct, class or union as its compiler laid it out.
#pragma once

#include "inspect/types.h"

enum member_kind { MEMBER_FIELD, MEMBER_BASE, MEMBER_VTABLE };

struct member {
    const char *name;        // "" without one
    const char *declaration; // "char *name[8]"
    u64 at, size;            // in bits
    u32 align;               // bytes
    u32 depth;               // 0: of the record itself; more: inside unnamed ones, for display
    enum member_kind kind;
    bool bitfield;
    bool shared;   // an atomic or a lock: several threads write it
    bool flexible; // char data[] at the end
    bool unknown;  // its type is declared elsewhere: no size
    bool closes;   // no member: the end of an unnamed struct or union
};

struct shape {
    const char *name; // "ns::Outer::foo<int>", without struct
    const char *word; // "struct", "class", "union"
    const char *file; // NULL: unknown
    u32 line;
    u64 size; // bytes
    u32 align;
    bool virtual_bases; // some offsets are only known at run time
    struct member *members;
    u32 count;
};

// Everything lives in the store. `name` is the record's own; `machine` an EM_*.
void shape_load(struct shape *r, struct store *store, Dwarf_Die *die, const char *name,
                u32 machine);
// Where a DIE was declared; the file's name is borrowed from the debug information.
const char *shape_file(Dwarf_Die *die, u32 *ret_line);
