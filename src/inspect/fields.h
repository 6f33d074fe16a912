// fields.h: a type flattened into what stands at which offset, so that bytes can be told by it.
//
// Nested structs are opened, small arrays too; what DWARF knows is copied, so that its files can be
// closed. A hostile file can nest and repeat without end: so there are bounds on depth and number.
#pragma once

#include "inspect/structs.h"

enum field_kind {
    FIELD_SIGNED,
    FIELD_UNSIGNED,
    FIELD_FLOAT,
    FIELD_BOOL,
    FIELD_CHAR,
    FIELD_POINTER,
    FIELD_ENUM,
    FIELD_TEXT,  // an array of characters
    FIELD_BYTES, // anything else
    FIELD_OPENS, // a struct, union or array, whose parts follow
    FIELD_CLOSES,
};

struct enumerator {
    const char *name;
    int64_t value;
};

struct field {
    const char *declaration; // "int count"; of an array's element "[3]"
    u64 at, size;            // in bits
    u32 depth;
    enum field_kind kind;
    u32 repeat; // of a scalar in an array: how many stand in a row; else 1
    const struct enumerator *enumerators;
    u32 enumerators_count;
};

struct fields {
    const char *name; // of the type; NULL: nothing was found
    u64 size;         // bytes
    bool plain;       // u8, ptr ...: one value without a name
    struct field *items;
    u32 count, room;
};

// Find a struct, class or union by its name (see structs.h), or one of u8 u16 u32 u64 i8 i16 i32
// i64 f32 f64 ptr, for which no debug information is needed. 0, or -1 with a sentence.
int fields_find(struct fields *f, struct store *store, struct image *im, const char *type,
                char why[IMAGE_WHY]);
