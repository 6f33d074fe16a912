// unit.c: a sorted list of ranges, made when .debug_aranges does not answer.

#include "report/unit.h"

#include <stdlib.h>

static void add(struct units *u, struct unit_range r)
{
    if (u->count == u->room) {
        u->room = u->room == 0 ? 256 : 2 * u->room;
        u->ranges = realloc(u->ranges, u->room * sizeof *u->ranges);
        if (u->ranges == NULL)
            die("loam: no memory for the report", NULL);
    }
    u->ranges[u->count++] = r;
}

static int by_start(const void *a, const void *b)
{
    const struct unit_range *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

static void list(struct units *u, Dwfl_Module *mod)
{
    Dwarf_Die *cu = NULL;
    Dwarf_Addr bias, base, start, end;
    while ((cu = dwfl_module_nextcu(mod, cu, &bias)) != NULL) {
        ptrdiff_t at = 0;
        while ((at = dwarf_ranges(cu, at, &base, &start, &end)) > 0)
            add(u, (struct unit_range){start + bias, end + bias, bias, *cu});
    }
    if (u->count > 0)
        qsort(u->ranges, u->count, sizeof *u->ranges, by_start);
    u->listed = true;
}

// The last range that starts at or before `at`.
static struct unit_range *search(struct units *u, Dwarf_Addr at)
{
    size_t low = 0, high = u->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (u->ranges[middle].start <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? NULL : &u->ranges[low - 1];
}

Dwarf_Die *units_find(struct units *u, Dwfl_Module *mod, Dwarf_Addr at, Dwarf_Addr *ret_bias)
{
    Dwarf_Die *cu = dwfl_module_addrdie(mod, at, ret_bias);
    if (cu != NULL)
        return cu;
    if (!u->listed)
        list(u, mod);
    struct unit_range *r = search(u, at);
    if (r == NULL || at >= r->end)
        return NULL;
    *ret_bias = r->bias;
    return &r->cu;
}

void units_done(struct units *u)
{
    free(u->ranges);
    *u = (struct units){0};
}
