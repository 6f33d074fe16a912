// shape.c: from a DIE and its children to a plain table.

#include "inspect/shape.h"

#include "report/utf8.h"

#include <dwarf.h>
#include <stdio.h>
#include <string.h>

#define MEMBERS_MAX 65536u
#define NESTED_MAX  8 // unnamed structs and unions inside each other

struct filler {
    struct shape *r;
    struct store *store;
    u32 machine, room;
};

// dwarf_decl_file would do, but that it aborts on split units (elfutils 0.188).
const char *shape_file(Dwarf_Die *die, u32 *ret_line)
{
    Dwarf_Die unit;
    Dwarf_Files *files;
    size_t count;
    u64 number, line;
    *ret_line = types_number(die, DW_AT_decl_line, &line) && line <= UINT32_MAX ? (u32)line : 0;
    if (!types_number(die, DW_AT_decl_file, &number) ||
        dwarf_diecu(die, &unit, NULL, NULL) == NULL ||
        dwarf_getsrcfiles(&unit, &files, &count) != 0 || number >= count)
        return NULL;
    return dwarf_filesrc(files, number, NULL, NULL);
}

static struct member *add(struct filler *f)
{
    struct shape *r = f->r;
    if (r->count == f->room) {
        struct member *old = r->members;
        f->room = f->room == 0 ? 16 : 2 * f->room;
        r->members = store_push(f->store, f->room * sizeof *r->members);
        if (old != NULL)
            memcpy(r->members, old, r->count * sizeof *old);
    }
    return &r->members[r->count++];
}

static u32 member_align(Dwarf_Die *member, Dwarf_Die *type, u32 machine)
{
    u64 asked;
    u32 align = types_align(type, machine);
    if (types_number(member, DW_AT_alignment, &asked) && is_pow2(asked) && asked > align &&
        asked <= 1 * GiB)
        return (u32)asked;
    return align;
}

static const char *member_text(struct filler *f, Dwarf_Die *die, enum member_kind kind,
                               const char *name)
{
    char text[1024];
    if (kind == MEMBER_FIELD && types_bits(die) > 0)
        snprintf(text, sizeof text, "%s : %llu", types_declare_of(f->store, die, name),
                 (unsigned long long)types_bits(die));
    else if (kind == MEMBER_FIELD)
        return types_declare_of(f->store, die, name);
    else if (kind == MEMBER_BASE)
        snprintf(text, sizeof text, "(base) %s", types_declare_of(f->store, die, ""));
    else
        snprintf(text, sizeof text, "(pointer to the virtual functions)");
    char *kept = store_text(f->store, text, strlen(text));
    utf8_clean(kept);
    return kept;
}

// Fill a member; false for what takes no place in the object that could be told.
static bool fill(struct filler *f, Dwarf_Die *die, struct member *m)
{
    Dwarf_Die type, real;
    const char *name = dwarf_diename(die);
    if (!types_of(die, &type))
        return false;
    bool base = dwarf_tag(die) == DW_TAG_inheritance;
    if (!types_offset(die, &m->at)) {
        f->r->virtual_bases = true;
        return false;
    }
    u64 bits = types_bits(die);
    m->kind = base                                             ? MEMBER_BASE
              : name != NULL && strncmp(name, "_vptr", 5) == 0 ? MEMBER_VTABLE
                                                               : MEMBER_FIELD;
    m->name = name == NULL ? "" : store_text(f->store, name, strlen(name));
    m->bitfield = bits > 0;
    m->size = bits > 0 ? bits : base && types_empty(&type) ? 0 : types_size(&type) * 8;
    m->align = member_align(die, &type, f->machine);
    m->shared = types_shared(&type);
    m->flexible =
        types_peel(&type, &real) && dwarf_tag(&real) == DW_TAG_array_type && types_size(&type) == 0;
    m->unknown = !base && m->size == 0 && !m->flexible && types_peel(&type, &real) &&
                 !dwarf_hasattr(&real, DW_AT_byte_size);
    m->declaration = member_text(f, die, m->kind, m->name);
    return true;
}

// An unnamed struct or union whose members are used as if they were the record's own.
static bool unnamed(Dwarf_Die *die, Dwarf_Die *ret_type)
{
    return dwarf_tag(die) == DW_TAG_member && dwarf_diename(die) == NULL &&
           types_of(die, ret_type) && types_aggregate(dwarf_tag(ret_type)) &&
           dwarf_diename(ret_type) == NULL;
}

static void close_nested(struct filler *f, u32 depth)
{
    struct member *m = add(f);
    *m = (struct member){.name = "", .declaration = "}", .depth = depth, .closes = true};
}

// The members in order; those of unnamed members behind them, one deeper.
static void load_members(struct filler *f, Dwarf_Die *record)
{
    Dwarf_Die stack[NESTED_MAX], die, type;
    u64 bases[NESTED_MAX], base = 0;
    u32 depth = 0;
    int r = dwarf_child(record, &die);
    while (f->r->count < MEMBERS_MAX) {
        if (r != 0 && depth == 0)
            break;
        if (r != 0) {
            die = stack[--depth];
            base = bases[depth];
            close_nested(f, depth);
            r = dwarf_siblingof(&die, &die);
            continue;
        }
        struct member m = {.depth = depth};
        bool kept = types_data(&die) && fill(f, &die, &m);
        if (kept) {
            m.at += base;
            *add(f) = m;
        }
        if (kept && depth < NESTED_MAX && unnamed(&die, &type)) {
            f->r->members[f->r->count - 1].declaration =
                dwarf_tag(&type) == DW_TAG_union_type ? "union {" : "struct {";
            stack[depth] = die;
            bases[depth++] = base;
            base = m.at;
            r = dwarf_child(&type, &die);
            continue;
        }
        r = dwarf_siblingof(&die, &die);
    }
}

void shape_load(struct shape *r, struct store *store, Dwarf_Die *die, const char *name, u32 machine)
{
    struct filler f = {.r = r, .store = store, .machine = machine};
    int tag = dwarf_tag(die);
    *r = (struct shape){
        .word = tag == DW_TAG_union_type   ? "union"
                : tag == DW_TAG_class_type ? "class"
                                           : "struct",
        .size = types_size(die),
        .align = types_align(die, machine),
    };
    char *kept = store_text(store, name, strlen(name));
    utf8_clean(kept);
    r->name = kept;
    const char *file = shape_file(die, &r->line);
    if (file != NULL) {
        kept = store_text(store, file, strlen(file));
        utf8_clean(kept);
        r->file = kept;
    }
    load_members(&f, die);
}
