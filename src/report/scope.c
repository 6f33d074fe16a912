// scope.c: one walk through a unit, then binary search.

#include "report/scope.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 256 // of a DIE in its unit: hostile debug information may go deeper

static void must(const void *p)
{
    if (p == NULL)
        die("loam: no memory for the report", NULL);
}

// ---------------------------------------------------------------- listing a unit

static void add(struct scope_unit *u, struct scope_function f)
{
    if (u->count == u->room) {
        u->room = u->room == 0 ? 64 : 2 * u->room;
        u->functions = realloc(u->functions, u->room * sizeof *u->functions);
        must(u->functions);
    }
    u->functions[u->count++] = f;
}

static void add_function(struct scope_unit *u, Dwarf_Die *d)
{
    Dwarf_Addr base, start, end;
    ptrdiff_t at = 0;
    while ((at = dwarf_ranges(d, at, &base, &start, &end)) > 0) {
        if (start < end)
            add(u, (struct scope_function){start, end, dwarf_dieoffset(d)});
    }
}

// Depth first, without recursion: the way down is kept.
static void walk(struct scope_unit *u, Dwarf_Die *cu)
{
    Dwarf_Die way[DEPTH_MAX];
    int depth = 0;
    if (dwarf_child(cu, &way[0]) != 0)
        return;
    while (depth >= 0) {
        Dwarf_Die *d = &way[depth];
        if (dwarf_tag(d) == DW_TAG_subprogram)
            add_function(u, d);
        if (depth + 1 < DEPTH_MAX && dwarf_haschildren(d) > 0 &&
            dwarf_child(d, &way[depth + 1]) == 0) {
            depth++;
            continue;
        }
        while (depth >= 0 && dwarf_siblingof(&way[depth], &way[depth]) != 0)
            depth--;
    }
}

static int by_start(const void *a, const void *b)
{
    const struct scope_function *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->die > y->die) - (x->die < y->die);
}

static struct scope_unit *unit_of(struct scopes *s, Dwarf_Die *cu)
{
    Dwarf *dwarf = dwarf_cu_getdwarf(cu->cu);
    Dwarf_Off offset = dwarf_dieoffset(cu);
    u64 key = table_mix((u64)(uintptr_t)dwarf, offset);
    struct scope_unit *first = table_get(&s->units, key), *u = first;
    while (u != NULL && (u->dwarf != dwarf || u->offset != offset))
        u = u->next;
    if (u != NULL)
        return u;
    u = calloc(1, sizeof *u);
    must(u);
    *u = (struct scope_unit){.offset = offset, .dwarf = dwarf, .next = first};
    walk(u, cu);
    if (u->count > 0)
        qsort(u->functions, u->count, sizeof *u->functions, by_start);
    table_put(&s->units, key, u);
    return u;
}

// ---------------------------------------------------------------- asking

static const struct scope_function *function_at(const struct scope_unit *u, Dwarf_Addr pc)
{
    size_t low = 0, high = u->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (u->functions[middle].start <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && pc < u->functions[low - 1].end ? &u->functions[low - 1] : NULL;
}

// The child of `d` that is code around `pc`: a block, or an inlined function.
static bool child_at(Dwarf_Die *d, Dwarf_Addr pc, Dwarf_Die *ret)
{
    Dwarf_Die c;
    if (dwarf_child(d, &c) != 0)
        return false;
    do {
        int tag = dwarf_tag(&c);
        if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
             tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
            dwarf_haspc(&c, pc) > 0) {
            *ret = c;
            return true;
        }
    } while (dwarf_siblingof(&c, &c) == 0);
    return false;
}

size_t scope_find(struct scopes *s, Dwarf_Die *cu, Dwarf_Addr pc, Dwarf_Die *out, size_t most)
{
    const struct scope_unit *u = unit_of(s, cu);
    const struct scope_function *f = function_at(u, pc);
    Dwarf_Die way[DEPTH_MAX];
    if (f == NULL || dwarf_offdie(u->dwarf, f->die, &way[0]) == NULL)
        return 0;
    int depth = 0;
    while (depth + 1 < DEPTH_MAX && child_at(&way[depth], pc, &way[depth + 1]))
        depth++;
    size_t n = 0;
    for (; depth >= 0 && n < most; depth--) {
        int tag = dwarf_tag(&way[depth]);
        if (tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram)
            out[n++] = way[depth];
    }
    return n;
}

void scope_done(struct scopes *s)
{
    for (size_t i = 0; i < s->units.slots_count; i++) {
        struct scope_unit *u = s->units.slots[i].value;
        while (u != NULL) {
            struct scope_unit *next = u->next;
            free(u->functions);
            free(u);
            u = next;
        }
    }
    table_done(&s->units);
}
