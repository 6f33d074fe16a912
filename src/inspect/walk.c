// walk.c: down into whatever can hold a type, with a stack of its own.

#include "inspect/walk.h"

#include "inspect/package.h"
#include "inspect/types.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX  64
#define SCOPE_MAX  1024
#define ALIENS_MAX 4096 // partial units of a dwz file that are imported

struct level {
    Dwarf_Die die;
    size_t scope; // length of the scope's name out here
};

struct descent {
    struct walk *w;
    struct level stack[DEPTH_MAX];
    u32 depth;
    char scope[SCOPE_MAX];
    // Units of the file that dwz made for several, imported so far.
    Dwarf_Die *aliens;
    size_t aliens_count, aliens_room;
};

static bool holds_types(int tag)
{
    return types_aggregate(tag) || tag == DW_TAG_namespace || tag == DW_TAG_subprogram ||
           tag == DW_TAG_lexical_block || tag == DW_TAG_module;
}

static bool named_by_typedef(Dwarf_Die *die)
{
    Dwarf_Die type;
    return dwarf_tag(die) == DW_TAG_typedef && types_of(die, &type) &&
           types_aggregate(dwarf_tag(&type)) && dwarf_diename(&type) == NULL;
}

// A unit that dwz moved into a file of its own belongs to nobody's list there that we walk.
static void import(struct descent *d, Dwarf_Die *at)
{
    Dwarf_Attribute attr;
    Dwarf_Die unit;
    if (dwarf_attr(at, DW_AT_import, &attr) == NULL ||
        dwarf_whatform(&attr) != DW_FORM_GNU_ref_alt || dwarf_formref_die(&attr, &unit) == NULL ||
        d->aliens_count == ALIENS_MAX)
        return;
    for (size_t i = 0; i < d->aliens_count; i++) {
        if (d->aliens[i].addr == unit.addr)
            return;
    }
    if (d->aliens_count == d->aliens_room) {
        d->aliens_room = d->aliens_room == 0 ? 64 : 2 * d->aliens_room;
        d->aliens = realloc(d->aliens, d->aliens_room * sizeof *d->aliens);
        if (d->aliens == NULL)
            die("loam: out of memory", NULL);
    }
    d->aliens[d->aliens_count++] = unit;
}

// Enter a DIE's children, unless the nesting is deeper than any program's.
static bool enter(struct descent *d, Dwarf_Die *die)
{
    Dwarf_Die child;
    if (d->depth == DEPTH_MAX || dwarf_child(die, &child) != 0)
        return false;
    size_t len = strlen(d->scope);
    d->stack[d->depth++] = (struct level){*die, len};
    const char *name = dwarf_tag(die) == DW_TAG_lexical_block ? NULL : dwarf_diename(die);
    if (d->depth > 1 && name != NULL && len + strlen(name) + 3 < SCOPE_MAX)
        snprintf(d->scope + len, SCOPE_MAX - len, "%s::", name);
    *die = child;
    return true;
}

// The next DIE after `die` and all that is in it; false at the unit's end.
static bool next(struct descent *d, Dwarf_Die *die)
{
    while (dwarf_siblingof(die, die) != 0) {
        if (d->depth == 0)
            return false;
        struct level *up = &d->stack[--d->depth];
        *die = up->die;
        d->scope[up->scope] = 0;
        if (d->depth == 0)
            return false;
    }
    return true;
}

static int walk_unit(struct descent *d, Dwarf_Die *unit)
{
    Dwarf_Die die = *unit;
    d->depth = 0;
    d->scope[0] = 0;
    d->w->units++;
    bool more = enter(d, &die);
    while (more) {
        int tag = dwarf_tag(&die), r = 0;
        bool sized = types_aggregate(tag) && dwarf_hasattr(&die, DW_AT_byte_size);
        if (sized || named_by_typedef(&die))
            r = d->w->each(d->w->ctx, &die, d->scope);
        if (r != 0)
            return r;
        if (tag == DW_TAG_imported_unit)
            import(d, &die);
        more = (holds_types(tag) && enter(d, &die)) || next(d, &die);
    }
    return 0;
}

static int walk_packed(void *ctx, Dwarf_Die *unit)
{
    return walk_unit(ctx, unit);
}

// The body of a unit is in a file that is not here.
static void note_missing(struct walk *w, Dwarf_Die *unit)
{
    const char *name = types_text(unit, DW_AT_dwo_name);
    if (name == NULL)
        name = types_text(unit, DW_AT_GNU_dwo_name);
    if (w->units_missing++ == 0)
        snprintf(w->missing, sizeof w->missing, "%s", name == NULL ? "?" : name);
}

static int walk_dwarf(struct descent *d, struct image *im, Dwarf *dwarf)
{
    Dwarf_CU *cu = NULL;
    Dwarf_Half version;
    u8 type;
    Dwarf_Die die, body;
    int r = 0, packed = 0; // 0: not tried, 1: a package has it all, -1: there is none
    while (r == 0 && dwarf_get_units(dwarf, cu, &cu, &version, &type, &die, &body) == 0) {
        if (type != DW_UT_skeleton) {
            r = walk_unit(d, &die);
        } else if (body.addr != NULL) {
            r = walk_unit(d, &body);
        } else if (packed == 0) {
            packed = package_each(im, walk_packed, d, &r) ? 1 : -1;
        }
        if (type == DW_UT_skeleton && body.addr == NULL && packed < 0)
            note_missing(d->w, &die);
    }
    return r;
}

int walk_types(struct walk *w, struct image *im, Dwarf *dwarf)
{
    struct descent *d = calloc(1, sizeof *d);
    if (d == NULL)
        die("loam: out of memory", NULL);
    d->w = w;
    int r = walk_dwarf(d, im, dwarf);
    for (size_t i = 0; r == 0 && i < d->aliens_count; i++) {
        Dwarf_Die unit = d->aliens[i]; // the list may grow and move meanwhile
        r = walk_unit(d, &unit);
    }
    free(d->aliens);
    free(d);
    return r;
}
