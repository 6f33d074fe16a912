// alike.c: what would be printed is the key; equal keys are one place.

#include "report/alike.h"

#include "report/name.h"
#include "report/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct look {
    char *text; // all that would be printed of the stack
    struct place *place;
};

struct looks {
    struct look *items;
    u32 count;
};

static char *text_of(struct model *m, struct symbols *symbols, const struct place *p, u32 lines)
{
    struct store *store = &m->store;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        die("loam: no memory for the report", NULL);
    struct stack s = stack_cut(symbols, store, p->sample, lines);
    for (u32 i = 0; i < s.lines_count; i++) {
        const struct stack_line *l = &s.lines[i];
        fprintf(out, "%u %s\n%s\n", l->hidden, name_short(store, l->symbol->function),
                stack_where(store, l));
    }
    fprintf(out, "%u %s", s.hidden_last, s.via == NULL ? "" : s.via);
    if (fclose(out) != 0)
        die("loam: no memory for the report", NULL);
    return text;
}

// Each place once, though it may be among the largest by several measures.
static void collect(struct looks *all, struct places *p, struct model *m, struct symbols *symbols,
                    struct alike_limits l)
{
    static const enum measure by[] = {BY_LEAK, BY_LIVE, BY_PEAK, BY_REACHABLE};
    struct table seen = {0};
    for (size_t i = 0; i < countof(by); i++) {
        u32 n = places_sort(p, by[i]);
        for (u32 j = 0; j < n && j < l.places; j++) {
            struct place *place = p->items[j];
            if (place->sample->other || table_get(&seen, (u64)(uintptr_t)place) != NULL)
                continue;
            table_put(&seen, (u64)(uintptr_t)place, place);
            bool leaks = place_bytes(place, BY_LEAK) != 0;
            all->items[all->count++] =
                (struct look){text_of(m, symbols, place, leaks ? l.lines_leak : l.lines), place};
        }
    }
    table_done(&seen);
}

// Equal looks side by side, in the order of places_sort, so that a report is the same every time.
static int compare(const void *a, const void *b)
{
    const struct look *x = a, *y = b;
    int r = strcmp(x->text, y->text);
    return r != 0 ? r
                  : (x->place->number > y->place->number) - (x->place->number < y->place->number);
}

void alike_join(struct places *p, struct model *m, struct symbols *symbols, struct alike_limits l)
{
    struct looks all = {.items = calloc(p->count + 1, sizeof *all.items)};
    struct place **into = calloc(p->count + 1, sizeof *into);
    if (all.items == NULL || into == NULL)
        die("loam: no memory for the report", NULL);
    collect(&all, p, m, symbols, l);
    qsort(all.items, all.count, sizeof *all.items, compare);
    struct look *first = all.items;
    for (u32 i = 1; i < all.count; i++) {
        if (strcmp(first->text, all.items[i].text) == 0)
            into[all.items[i].place->number] = first->place;
        else
            first = &all.items[i];
    }
    places_join(p, m, into);
    for (u32 i = 0; i < all.count; i++)
        free(all.items[i].text);
    free(all.items);
    free(into);
}
