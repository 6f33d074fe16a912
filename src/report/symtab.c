// symtab.c: a sorted list of a module's functions.

#include "report/symtab.h"

#include <stdlib.h>

#define NEAR    64 // how far a symbol without a size may reach
#define OVERLAP 32 // symbols before an address that may still cover it: cold parts, aliases

static bool is_code(const GElf_Sym *s)
{
    int type = GELF_ST_TYPE(s->st_info);
    return s->st_shndx != SHN_UNDEF &&
           (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

static u32 rank_of(const GElf_Sym *s)
{
    static const u32 by_binding[] = {[STB_LOCAL] = 0, [STB_GLOBAL] = 2, [STB_WEAK] = 1};
    u32 binding = GELF_ST_BIND(s->st_info);
    u32 rank = binding < countof(by_binding) ? by_binding[binding] : 0;
    return rank + (s->st_size != 0 ? 8 : 0) + (GELF_ST_TYPE(s->st_info) != STT_NOTYPE ? 4 : 0);
}

static int by_start(const void *a, const void *b)
{
    const struct symtab_entry *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static void list(struct symtab *t, Dwfl_Module *mod)
{
    t->listed = true;
    int n = dwfl_module_getsymtab(mod);
    t->entries = n <= 0 ? NULL : calloc((size_t)n, sizeof *t->entries);
    for (int i = 1; i < n && t->entries != NULL; i++) {
        GElf_Sym sym;
        GElf_Addr at;
        const char *name = dwfl_module_getsym_info(mod, i, &sym, &at, NULL, NULL, NULL);
        if (name == NULL || *name == 0 || !is_code(&sym))
            continue;
        t->entries[t->count++] = (struct symtab_entry){at, sym.st_size, name, rank_of(&sym)};
    }
    if (t->count > 0)
        qsort(t->entries, t->count, sizeof *t->entries, by_start);
}

static bool covers(const struct symtab_entry *e, GElf_Addr at)
{
    return at - e->start < (e->size != 0 ? e->size : NEAR);
}

const char *symtab_find(struct symtab *t, Dwfl_Module *mod, GElf_Addr at)
{
    if (!t->listed)
        list(t, mod);
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (t->entries[middle].start <= at)
            low = middle + 1;
        else
            high = middle;
    }
    // Backwards: the nearest start first, and of one start the highest rank.
    for (size_t i = low; i-- > 0 && low - i <= OVERLAP;) {
        if (covers(&t->entries[i], at))
            return t->entries[i].name;
    }
    return NULL;
}

void symtab_done(struct symtab *t)
{
    free(t->entries);
    *t = (struct symtab){0};
}
