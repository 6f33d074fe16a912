// types.h: what DWARF says about types, in C's words.
//
// A type is a chain of entries (const -> pointer -> struct); a hostile file can make it a ring.
// So no chain is followed further than TYPES_DEPTH, and what lies beyond has no size and no name.
#pragma once

#include "base/base.h"
#include "report/store.h"

#include <elfutils/libdw.h>

#define TYPES_DEPTH 32

// The type that an entry (a member, a pointer, an array ...) is made of. False: none, or void.
bool types_of(Dwarf_Die *die, Dwarf_Die *ret_type);
// Without typedefs and qualifiers; a declaration is followed to its definition by signature.
bool types_peel(Dwarf_Die *type, Dwarf_Die *ret_type);
// Bytes; 0 when it is not complete.
u64 types_size(Dwarf_Die *type);
// What the ABI aligns it to; at least 1. `machine` is an EM_*.
u32 types_align(Dwarf_Die *type, u32 machine);
// Whether several threads write it: an atomic, a lock, or something that holds one.
bool types_shared(Dwarf_Die *type);
// A class without a single byte of data.
bool types_empty(Dwarf_Die *type);

// The declaration of `name` with that type, as C writes it: "char *argv[8]", "int (*f)(int)".
// With an empty name, the type itself. Kept in the store and fit for a terminal.
const char *types_declare(struct store *store, Dwarf_Die *type, const char *name);
// The same for the type of a member or variable; "void" without one.
const char *types_declare_of(struct store *store, Dwarf_Die *die, const char *name);
// Elements of an array type, all dimensions multiplied; 0: unknown (a flexible array).
u64 types_elements(Dwarf_Die *array);

// A struct, class or union, by its tag.
bool types_aggregate(int tag);
// A member or a base class that takes room in each object: no static one, no function.
bool types_data(Dwarf_Die *member);
// Where a member lies, in bits from the start of what holds it. False: only known at run time
// (virtual bases).
bool types_offset(Dwarf_Die *member, u64 *ret_bits);
// Bits of a bit-field; 0: it is none.
u64 types_bits(Dwarf_Die *member);
bool types_flag(Dwarf_Die *die, unsigned attribute);
bool types_number(Dwarf_Die *die, unsigned attribute, u64 *ret_value);
// An own attribute's text, or NULL.
const char *types_text(Dwarf_Die *die, unsigned attribute);
