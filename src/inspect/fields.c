// fields.c: a worklist of members, deepest first, in the order of memory.

#include "inspect/fields.h"

#include "report/utf8.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX  8
#define FIELDS_MAX 4096u
#define OPEN_MAX   16 // elements of an array of structs that are opened

struct finder {
    struct fields *f;
    struct store *store;
    const char *wanted;
};

static struct field *add(struct finder *s)
{
    struct fields *f = s->f;
    if (f->count == f->room) {
        struct field *old = f->items;
        f->room = f->room == 0 ? 32 : 2 * f->room;
        f->items = store_push(s->store, f->room * sizeof *f->items);
        if (old != NULL)
            memcpy(f->items, old, f->count * sizeof *old);
    }
    return &f->items[f->count++];
}

// ---------------------------------------------------------------- kinds

static enum field_kind base_kind(Dwarf_Die *type)
{
    u64 encoding = 0;
    types_number(type, DW_AT_encoding, &encoding);
    switch (encoding) {
    case DW_ATE_boolean:
        return FIELD_BOOL;
    case DW_ATE_float:
        return FIELD_FLOAT;
    case DW_ATE_signed:
        return FIELD_SIGNED;
    case DW_ATE_signed_char:
    case DW_ATE_unsigned_char:
    case DW_ATE_UTF:
        return FIELD_CHAR;
    case DW_ATE_unsigned:
        return FIELD_UNSIGNED;
    }
    return FIELD_BYTES;
}

static enum field_kind kind_of(Dwarf_Die *type)
{
    switch (dwarf_tag(type)) {
    case DW_TAG_base_type:
        return base_kind(type);
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type:
        return FIELD_POINTER;
    case DW_TAG_enumeration_type:
        return FIELD_ENUM;
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
        return FIELD_OPENS;
    }
    return FIELD_BYTES;
}

static void take_enumerators(struct finder *s, struct field *x, Dwarf_Die *type)
{
    struct enumerator *list = store_push(s->store, 256 * sizeof *list);
    Dwarf_Die at;
    Dwarf_Attribute attr;
    x->enumerators = list;
    for (int r = dwarf_child(type, &at); r == 0 && x->enumerators_count < 256;
         r = dwarf_siblingof(&at, &at)) {
        Dwarf_Sword value;
        const char *name = dwarf_diename(&at);
        if (dwarf_tag(&at) != DW_TAG_enumerator || name == NULL ||
            dwarf_formsdata(dwarf_attr(&at, DW_AT_const_value, &attr), &value) != 0)
            continue;
        list[x->enumerators_count++] =
            (struct enumerator){store_text(s->store, name, strlen(name)), value};
    }
}

// ---------------------------------------------------------------- opening what is nested

static void open_type(struct finder *s, Dwarf_Die *type, const char *declaration, u64 at, u64 bits,
                      u32 depth);

static void open_members(struct finder *s, Dwarf_Die *type, u64 at, u32 depth)
{
    Dwarf_Die member, of;
    u64 offset;
    for (int r = dwarf_child(type, &member); r == 0; r = dwarf_siblingof(&member, &member)) {
        if (!types_data(&member) || !types_of(&member, &of) || !types_offset(&member, &offset) ||
            s->f->count >= FIELDS_MAX)
            continue;
        const char *name = dwarf_diename(&member);
        u64 bits = types_bits(&member);
        const char *text = types_declare_of(s->store, &member, name == NULL ? "" : name);
        if (bits > 0) {
            char field[256];
            snprintf(field, sizeof field, "%.200s : %llu", text, (unsigned long long)bits);
            text = store_text(s->store, field, sizeof field - 1);
        }
        open_type(s, &of, text, at + offset, bits, depth);
    }
}

static void open_array(struct finder *s, Dwarf_Die *array, const char *declaration, u64 at,
                       u32 depth)
{
    Dwarf_Die element, real;
    u64 count = types_elements(array);
    if (!types_of(array, &element) || !types_peel(&element, &real))
        return;
    u64 size = types_size(&element);
    enum field_kind kind = kind_of(&real);
    if (count == 0 || size == 0)
        return;
    struct field *x = add(s);
    *x = (struct field){declaration, at, count * size * 8, depth, kind, 1, NULL, 0};
    if (kind != FIELD_OPENS) {
        x->kind = kind == FIELD_CHAR && size == 1 ? FIELD_TEXT : kind;
        x->repeat = x->kind == FIELD_TEXT || count > 4096 ? 1 : (u32)count;
        if (count > 4096 && x->kind != FIELD_TEXT)
            x->kind = FIELD_BYTES;
        if (kind == FIELD_ENUM)
            take_enumerators(s, x, &real);
        return;
    }
    for (u64 i = 0; i < count && i < OPEN_MAX && s->f->count < FIELDS_MAX; i++) {
        char text[32];
        snprintf(text, sizeof text, "[%llu]", (unsigned long long)i);
        open_type(s, &element, store_text(s->store, text, sizeof text - 1), at + i * size * 8, 0,
                  depth + 1);
    }
    *add(s) = (struct field){"", at, 0, depth, FIELD_CLOSES, 1, NULL, 0};
}

// Recursive with `depth` as its bound: what it walks is nested, and it must come out in order.
static void open_type(struct finder *s, Dwarf_Die *type, const char *declaration, u64 at, u64 bits,
                      u32 depth)
{
    Dwarf_Die real;
    if (depth > DEPTH_MAX || s->f->count >= FIELDS_MAX || !types_peel(type, &real))
        return;
    if (dwarf_tag(&real) == DW_TAG_array_type) {
        open_array(s, &real, declaration, at, depth);
        return;
    }
    u64 size = bits != 0 ? bits : types_size(&real) * 8;
    enum field_kind kind = kind_of(&real);
    struct field *x = add(s);
    *x = (struct field){declaration, at, size, depth, kind, 1, NULL, 0};
    if (kind == FIELD_ENUM)
        take_enumerators(s, x, &real);
    if (kind != FIELD_OPENS)
        return;
    open_members(s, &real, at, depth + 1);
    *add(s) = (struct field){"", at, 0, depth, FIELD_CLOSES, 1, NULL, 0};
}

// ---------------------------------------------------------------- finding the type

static int each(void *ctx, Dwarf_Die *die, const char *scope)
{
    struct finder *s = ctx;
    Dwarf_Die type = *die;
    char name[2048];
    const char *own = dwarf_diename(die);
    if (own == NULL)
        return 0;
    snprintf(name, sizeof name, "%s%s", scope, own);
    if (!structs_named(name, s->wanted) ||
        (dwarf_tag(die) == DW_TAG_typedef && !types_of(die, &type)))
        return 0;
    char *kept = store_text(s->store, name, strlen(name));
    utf8_clean(kept);
    s->f->name = kept;
    s->f->size = types_size(&type);
    open_members(s, &type, 0, 0);
    return 1;
}

static bool plain_type(struct fields *f, struct store *store, const char *type)
{
    static const struct {
        const char *name;
        enum field_kind kind;
        u32 size;
    } plain[] = {
        {"u8", FIELD_UNSIGNED, 1},  {"u16", FIELD_UNSIGNED, 2}, {"u32", FIELD_UNSIGNED, 4},
        {"u64", FIELD_UNSIGNED, 8}, {"i8", FIELD_SIGNED, 1},    {"i16", FIELD_SIGNED, 2},
        {"i32", FIELD_SIGNED, 4},   {"i64", FIELD_SIGNED, 8},   {"f32", FIELD_FLOAT, 4},
        {"f64", FIELD_FLOAT, 8},    {"ptr", FIELD_POINTER, 8},
    };
    for (size_t i = 0; i < countof(plain); i++) {
        if (strcmp(plain[i].name, type) != 0)
            continue;
        f->name = plain[i].name;
        f->size = plain[i].size;
        f->plain = true;
        f->items = store_push(store, sizeof *f->items);
        f->items[f->count++] =
            (struct field){plain[i].name, 0, 8 * (u64)plain[i].size, 0, plain[i].kind, 1, NULL, 0};
        return true;
    }
    return false;
}

int fields_find(struct fields *f, struct store *store, struct image *im, const char *type,
                char why[IMAGE_WHY])
{
    struct finder s = {.f = f, .store = store, .wanted = type};
    struct walk w = {.each = each, .ctx = &s};
    Dwarf_Addr bias;
    *f = (struct fields){0};
    if (plain_type(f, store, type))
        return 0;
    snprintf(why, IMAGE_WHY,
             "there is no ELF file to tell what '%.100s' is; --types FILE names one", type);
    Dwarf *dwarf = im == NULL ? NULL : image_dwarf(im, &bias, why);
    if (dwarf == NULL)
        return -1;
    walk_types(&w, im, dwarf);
    if (f->name != NULL && f->size > 0 && f->count > 0)
        return 0;
    if (f->name != NULL) {
        snprintf(why, IMAGE_WHY, "'%.100s' has no members that are known", f->name);
        return -1;
    }
    snprintf(why, IMAGE_WHY, "there is no type '%.100s' in %.300s; --types FILE names another one",
             type, im->path);
    return -1;
}
