// types.c: see types.h.

#include "inspect/types.h"

#include "report/utf8.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---------------------------------------------------------------- attributes

bool types_flag(Dwarf_Die *die, unsigned attribute)
{
    Dwarf_Attribute attr;
    bool on = false;
    return dwarf_formflag(dwarf_attr_integrate(die, attribute, &attr), &on) == 0 && on;
}

bool types_number(Dwarf_Die *die, unsigned attribute, u64 *ret_value)
{
    Dwarf_Attribute attr;
    Dwarf_Word value;
    if (dwarf_formudata(dwarf_attr_integrate(die, attribute, &attr), &value) != 0)
        return false;
    *ret_value = value;
    return true;
}

const char *types_text(Dwarf_Die *die, unsigned attribute)
{
    Dwarf_Attribute attr;
    return dwarf_formstring(dwarf_attr_integrate(die, attribute, &attr));
}

static bool follow(Dwarf_Die *die, unsigned attribute, Dwarf_Die *ret)
{
    Dwarf_Attribute attr;
    return dwarf_formref_die(dwarf_attr_integrate(die, attribute, &attr), ret) != NULL;
}

bool types_of(Dwarf_Die *die, Dwarf_Die *ret_type)
{
    return follow(die, DW_AT_type, ret_type);
}

// ---------------------------------------------------------------- sizes

static bool qualifier(int tag)
{
    return tag == DW_TAG_const_type || tag == DW_TAG_volatile_type || tag == DW_TAG_restrict_type ||
           tag == DW_TAG_atomic_type || tag == DW_TAG_typedef;
}

bool types_peel(Dwarf_Die *type, Dwarf_Die *ret_type)
{
    Dwarf_Die at = *type, next;
    for (u32 i = 0; i < TYPES_DEPTH; i++) {
        bool more = qualifier(dwarf_tag(&at)) ? types_of(&at, &next)
                                              : dwarf_hasattr(&at, DW_AT_signature) &&
                                                    follow(&at, DW_AT_signature, &next);
        if (!more) {
            *ret_type = at;
            return !qualifier(dwarf_tag(&at));
        }
        at = next;
    }
    return false;
}

u64 types_elements(Dwarf_Die *array)
{
    Dwarf_Die at;
    u64 total = 1, n, upper, lower;
    bool any = false;
    for (int r = dwarf_child(array, &at); r == 0; r = dwarf_siblingof(&at, &at)) {
        if (dwarf_tag(&at) != DW_TAG_subrange_type)
            continue;
        any = true;
        if (!types_number(&at, DW_AT_lower_bound, &lower))
            lower = 0;
        if (types_number(&at, DW_AT_count, &n))
            total *= n;
        else if (types_number(&at, DW_AT_upper_bound, &upper))
            total *= upper - lower + 1;
        else
            return 0;
    }
    return any ? total : 0;
}

u64 types_size(Dwarf_Die *type)
{
    Dwarf_Die at = *type, real;
    u64 size, times = 1;
    for (u32 i = 0; i < TYPES_DEPTH; i++) {
        if (!types_peel(&at, &real))
            return 0;
        if (types_number(&real, DW_AT_byte_size, &size))
            return size * times;
        int tag = dwarf_tag(&real);
        if (tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
            tag == DW_TAG_rvalue_reference_type || tag == DW_TAG_ptr_to_member_type) {
            u8 bytes = 8;
            Dwarf_Die cu;
            dwarf_diecu(&real, &cu, &bytes, NULL);
            return bytes * times;
        }
        if (tag == DW_TAG_array_type)
            times *= types_elements(&real);
        if (!types_of(&real, &at))
            return 0;
    }
    return 0;
}

bool types_data(Dwarf_Die *member)
{
    int tag = dwarf_tag(member);
    return tag == DW_TAG_inheritance ||
           (tag == DW_TAG_member && !types_flag(member, DW_AT_external) &&
            !types_flag(member, DW_AT_declaration));
}

bool types_aggregate(int tag)
{
    return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

static u32 natural(u64 size, u32 machine)
{
    u32 most = machine == EM_386 ? 4 : 16, align = 1;
    while (align < most && align * 2 <= size && size % (align * 2) == 0)
        align *= 2;
    return align;
}

// Recursive, because an aggregate's alignment is that of its members; `depth` bounds it.
static u32 align_at(Dwarf_Die *type, u32 machine, u32 depth)
{
    Dwarf_Die at = *type, real, member;
    u64 asked;
    u32 most = 1;
    if (types_number(type, DW_AT_alignment, &asked) && is_pow2(asked) && asked <= 1 * GiB)
        return (u32)asked;
    if (depth == 0 || !types_peel(&at, &real))
        return 1;
    if (types_number(&real, DW_AT_alignment, &asked) && is_pow2(asked) && asked <= 1 * GiB)
        return (u32)asked;
    if (dwarf_tag(&real) == DW_TAG_array_type)
        return types_of(&real, &at) ? align_at(&at, machine, depth - 1) : 1;
    if (!types_aggregate(dwarf_tag(&real)))
        return natural(types_size(&real), machine);
    for (int r = dwarf_child(&real, &member); r == 0; r = dwarf_siblingof(&member, &member)) {
        if (!types_data(&member) || !types_of(&member, &at))
            continue;
        u32 a = align_at(&at, machine, depth - 1);
        if (types_number(&member, DW_AT_alignment, &asked) && is_pow2(asked) && asked <= 1 * GiB)
            a = asked > a ? (u32)asked : a;
        most = a > most ? a : most;
    }
    // A packed one is aligned to less than its members.
    u64 size = types_size(&real);
    while (most > 1 && size % most != 0)
        most /= 2;
    return most;
}

u32 types_align(Dwarf_Die *type, u32 machine)
{
    return align_at(type, machine, 12);
}

// ---------------------------------------------------------------- what is in them

static bool shared_name(const char *name)
{
    static const char *const names[] = {
        "pthread_mutex_t",
        "pthread_spinlock_t",
        "pthread_rwlock_t",
        "pthread_cond_t",
        "sem_t",
        "mtx_t",
        "cnd_t",
        "spinlock_t",
        "atomic_t",
        "atomic64_t",
        "atomic_flag",
        "mutex",
        "shared_mutex",
    };
    for (size_t i = 0; name != NULL && i < countof(names); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return name != NULL &&
           (strncmp(name, "atomic<", 7) == 0 || strncmp(name, "__atomic_base<", 14) == 0);
}

// Recursive with a bound, as align_at.
static bool shared_at(Dwarf_Die *type, u32 depth)
{
    Dwarf_Die at = *type, next, member;
    for (u32 i = 0; i < TYPES_DEPTH; i++) {
        int tag = dwarf_tag(&at);
        if (tag == DW_TAG_atomic_type || shared_name(dwarf_diename(&at)))
            return true;
        if (tag == DW_TAG_pointer_type || !(qualifier(tag) || tag == DW_TAG_array_type) ||
            !types_of(&at, &next))
            break;
        at = next;
    }
    if (depth == 0 || !types_aggregate(dwarf_tag(&at)))
        return false;
    for (int r = dwarf_child(&at, &member); r == 0; r = dwarf_siblingof(&member, &member)) {
        if (types_data(&member) && types_of(&member, &next) && shared_at(&next, depth - 1))
            return true;
    }
    return false;
}

bool types_shared(Dwarf_Die *type)
{
    return shared_at(type, 4);
}

bool types_empty(Dwarf_Die *type)
{
    Dwarf_Die at = *type, member, base;
    for (u32 i = 0; i < TYPES_DEPTH; i++) {
        bool one = false;
        if (!types_peel(&at, &at) || types_size(&at) != 1)
            return false;
        for (int r = dwarf_child(&at, &member); r == 0; r = dwarf_siblingof(&member, &member)) {
            if (!types_data(&member))
                continue;
            if (dwarf_tag(&member) == DW_TAG_member || !types_of(&member, &base))
                return false;
            one = true;
        }
        if (!one)
            return true;
        at = base;
    }
    return false;
}

// ---------------------------------------------------------------- members

u64 types_bits(Dwarf_Die *member)
{
    u64 bits;
    return types_number(member, DW_AT_bit_size, &bits) ? bits : 0;
}

// An offset as a constant, or as the one operation that old compilers wrote.
static bool location(Dwarf_Die *member, u64 *ret_bytes)
{
    Dwarf_Attribute attr;
    Dwarf_Op *ops;
    size_t count;
    if (dwarf_attr_integrate(member, DW_AT_data_member_location, &attr) == NULL)
        return false;
    if (dwarf_formudata(&attr, ret_bytes) == 0)
        return true;
    if (dwarf_getlocation(&attr, &ops, &count) != 0 || count != 1 ||
        ops[0].atom != DW_OP_plus_uconst)
        return false;
    *ret_bytes = ops[0].number;
    return true;
}

bool types_offset(Dwarf_Die *member, u64 *ret_bits)
{
    u64 bytes = 0, offset, storage;
    Dwarf_Die type;
    if (types_number(member, DW_AT_data_bit_offset, ret_bits))
        return true;
    if (!location(member, &bytes)) {
        *ret_bits = 0;
        return !dwarf_hasattr(member, DW_AT_data_member_location); // members of a union have none
    }
    *ret_bits = bytes * 8;
    // Before DWARF 4, a bit-field's place was counted from its storage's most significant bit.
    if (types_number(member, DW_AT_bit_offset, &offset)) {
        if (!types_number(member, DW_AT_byte_size, &storage))
            storage = types_of(member, &type) ? types_size(&type) : 0;
        *ret_bits += storage * 8 - offset - types_bits(member);
    }
    return true;
}

// ---------------------------------------------------------------- declarations

static char *join(const char *fmt, ...)
{
    char *text;
    va_list args;
    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        die("loam: no memory for the names of types", NULL);
    va_end(args);
    return text;
}

// Replace *text by what `fresh` says.
static void become(char **text, char *fresh)
{
    free(*text);
    *text = fresh;
}

static const char *keyword(int tag)
{
    switch (tag) {
    case DW_TAG_structure_type:
        return "struct ";
    case DW_TAG_union_type:
        return "union ";
    case DW_TAG_enumeration_type:
        return "enum ";
    }
    return ""; // classes, base types, typedefs
}

static bool speaks_c(Dwarf_Die *die)
{
    Dwarf_Die cu;
    switch (dwarf_srclang(dwarf_diecu(die, &cu, NULL, NULL))) {
    case DW_LANG_C89:
    case DW_LANG_C:
    case DW_LANG_C99:
    case DW_LANG_C11:
    case 0x2c: // C17
        return true;
    }
    return false;
}

// The parameters of a function type, their types alone; one level deep: "int, char *, ...".
static char *parameters(Dwarf_Die *function)
{
    Dwarf_Die at, type;
    char *list = join("");
    u32 n = 0;
    for (int r = dwarf_child(function, &at); r == 0; r = dwarf_siblingof(&at, &at)) {
        int tag = dwarf_tag(&at);
        if (tag != DW_TAG_formal_parameter && tag != DW_TAG_unspecified_parameters)
            continue;
        const char *stars = "", *name = "...", *word = "";
        if (tag == DW_TAG_formal_parameter && types_of(&at, &type)) {
            for (u32 i = 0; i < TYPES_DEPTH && dwarf_diename(&type) == NULL; i++) {
                stars = dwarf_tag(&type) == DW_TAG_pointer_type ? (*stars ? " **" : " *") : stars;
                if (!types_of(&type, &type))
                    break;
            }
            name = dwarf_diename(&type) == NULL ? "void" : dwarf_diename(&type);
            word = dwarf_diename(&type) != NULL && speaks_c(&type) ? keyword(dwarf_tag(&type)) : "";
        }
        become(&list, join("%s%s%s%s%s", list, n++ == 0 ? "" : ", ", word, name, stars));
    }
    if (n == 0)
        become(&list, join("void"));
    return list;
}

// "[3][4]" behind `text`.
static char *dimensions(const char *text, Dwarf_Die *array)
{
    Dwarf_Die at;
    u64 n, lower;
    char *out = join("%s", text);
    u32 count = 0;
    for (int r = dwarf_child(array, &at); r == 0; r = dwarf_siblingof(&at, &at)) {
        if (dwarf_tag(&at) != DW_TAG_subrange_type)
            continue;
        count++;
        if (types_number(&at, DW_AT_count, &n)) {
            become(&out, join("%s[%llu]", out, (unsigned long long)n));
        } else if (types_number(&at, DW_AT_upper_bound, &n)) {
            if (!types_number(&at, DW_AT_lower_bound, &lower))
                lower = 0;
            become(&out, join("%s[%llu]", out, (unsigned long long)(n - lower + 1)));
        } else {
            become(&out, join("%s[]", out));
        }
    }
    if (count == 0)
        become(&out, join("%s[]", out));
    return out;
}

// A declaration that grows from the declared name outwards: C declares inside out.
struct phrase {
    char *text;
    char *qualifiers; // seen since the last pointer; they go with whatever comes next
    bool pointed;     // a pointer was the last step: what follows needs parentheses
};

static void qualify(struct phrase *p)
{
    if (*p->qualifiers != 0)
        become(&p->text, join("%s%s%s", p->qualifiers, *p->text == 0 ? "" : " ", p->text));
    become(&p->qualifiers, join(""));
}

static void wrap_pointer(struct phrase *p, const char *sign)
{
    qualify(p);
    become(&p->text, join("%s%s", sign, p->text));
    p->pointed = true;
}

// Arrays and functions bind closer than the star before them.
static void wrap_closer(struct phrase *p, Dwarf_Die *at)
{
    qualify(p);
    if (p->pointed)
        become(&p->text, join("(%s)", p->text));
    p->pointed = false;
    if (dwarf_tag(at) == DW_TAG_array_type) {
        become(&p->text, dimensions(p->text, at));
    } else {
        char *list = parameters(at);
        become(&p->text, join("%s(%s)", p->text, list));
        free(list);
    }
}

// One step of the chain from the declared name to the type's name.
static void wrap(struct phrase *p, Dwarf_Die *at)
{
    int tag = dwarf_tag(at);
    if (tag == DW_TAG_pointer_type || tag == DW_TAG_ptr_to_member_type) {
        wrap_pointer(p, "*");
    } else if (tag == DW_TAG_reference_type) {
        wrap_pointer(p, "&");
    } else if (tag == DW_TAG_rvalue_reference_type) {
        wrap_pointer(p, "&&");
    } else if (tag == DW_TAG_array_type || tag == DW_TAG_subroutine_type) {
        wrap_closer(p, at);
    } else {
        const char *word = tag == DW_TAG_const_type      ? "const"
                           : tag == DW_TAG_volatile_type ? "volatile"
                           : tag == DW_TAG_restrict_type ? "restrict"
                                                         : "_Atomic";
        become(&p->qualifiers, join("%s%s%s", p->qualifiers, *p->qualifiers ? " " : "", word));
    }
}

static bool has_name(int tag)
{
    return tag == DW_TAG_typedef || tag == DW_TAG_base_type || types_aggregate(tag) ||
           tag == DW_TAG_enumeration_type || tag == DW_TAG_unspecified_type;
}

const char *types_declare(struct store *store, Dwarf_Die *type, const char *name)
{
    Dwarf_Die at = *type, next;
    struct phrase p = {join("%s", name), join(""), false};
    const char *base = "void", *word = "";
    for (u32 i = 0; i < TYPES_DEPTH; i++) {
        int tag = dwarf_tag(&at);
        if (has_name(tag)) {
            if (dwarf_diename(&at) == NULL && follow(&at, DW_AT_signature, &next))
                at = next; // the name stands in a type unit
            base = dwarf_diename(&at);
            word = speaks_c(&at) || base == NULL ? keyword(tag) : "";
            base = base == NULL ? "{...}" : base;
            break;
        }
        wrap(&p, &at);
        if (!types_of(&at, &next))
            break;
        at = next;
    }
    char *text = join("%s%s%s%s%s%s", p.qualifiers, *p.qualifiers == 0 ? "" : " ", word, base,
                      *p.text == 0 ? "" : " ", p.text);
    char *kept = store_text(store, text, strlen(text));
    free(p.text);
    free(p.qualifiers);
    free(text);
    utf8_clean(kept);
    return kept;
}

const char *types_declare_of(struct store *store, Dwarf_Die *die, const char *name)
{
    Dwarf_Die type;
    if (types_of(die, &type))
        return types_declare(store, &type, name);
    char *text = join("void%s%s", *name == 0 ? "" : " ", name);
    const char *kept = store_text(store, text, strlen(text));
    free(text);
    return kept;
}
