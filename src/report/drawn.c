// drawn.c: names in one column, places in another; what has no room is cut where it tells least.

#include "report/drawn.h"

#include "report/name.h"
#include "report/stack.h"
#include "report/utf8.h"

#include <stdio.h>
#include <string.h>

#define LEFT       11 // as in text.c
#define NAME_WIDTH 46 // longest function name before it is cut

static const char *name_of(const struct drawn *d, const char *function)
{
    if (d->whole)
        return function;
    const char *name = name_short(d->store, function);
    return name_fit(d->store, name, NAME_WIDTH);
}

#define WHERE_MIN 20 // columns that a file's name and line have beside a long function

// Whole stacks tell an address where there is no line, so that calls from one function differ.
static const char *where_of(const struct drawn *d, const struct stack_line *l)
{
    const char *where = stack_where(d->store, l);
    bool bare = l->symbol->named && l->symbol->file == NULL && l->module != NULL;
    if (!bare || !(d->whole || d->addresses))
        return where;
    size_t size = strlen(where) + 24;
    char *text = store_push(d->store, size);
    snprintf(text, size, "%s+0x%llx", where, (unsigned long long)l->offset);
    return text;
}

static u32 where_width(const struct drawn *d, const struct stack_line *l)
{
    return (u32)utf8_width(where_of(d, l)) + (l->symbol->inlined ? 10 : 0);
}

// Columns for the names, and in `names` what stands there: places get what room they need, but
// names keep at least what WHERE_MIN leaves them.
static u32 name_width(const struct drawn *d, const struct stack *s, const char **names)
{
    size_t widest = 12, places = 0, room = d->k->width - LEFT - 2;
    for (u32 i = 0; i < s->lines_count; i++) {
        names[i] = name_of(d, s->lines[i].symbol->function);
        widest = size_max(widest, utf8_width(names[i]));
        places = size_max(places, where_width(d, &s->lines[i]));
    }
    size_t left = room - size_min(room, size_max(places, WHERE_MIN));
    widest = size_min(widest, NAME_WIDTH);
    return (u32)(d->whole ? widest : size_min(widest, size_max(left, room / 2)));
}

static void skipped(const struct drawn *d, u32 n)
{
    if (n == 0)
        return;
    ink_to(d->k, LEFT);
    ink(d->k, INK_DIM, "(%u more)", n);
    ink_line(d->k);
}

static void line(const struct drawn *d, const struct stack_line *l, const char *name, u32 width)
{
    struct ink *k = d->k;
    ink_to(k, LEFT);
    if (!l->symbol->named && l->module != NULL)
        symbols_set_nameless(l->module, symbols_nameless(l->module) + 1);
    const char *where = where_of(d, l);
    bool whole = d->whole || *where == 0; // longer names push their place to the right
    ink_cut(k, l->mine ? INK_BOLD : INK_PLAIN, name, whole ? UINT32_MAX : width);
    if (*where != 0) {
        u32 inlined = l->symbol->inlined ? 10 : 0;
        u32 at = (u32)size_max(k->column + 1, LEFT + width + 2);
        if (whole && at + utf8_width(where) + inlined > k->width) {
            ink_line(k); // or into the next line
            at = LEFT + 4;
        }
        ink_to(k, at);
        u32 room = k->width - size_min(k->width - 1, k->column + inlined);
        ink(k, l->symbol->file != NULL ? INK_PLAIN : INK_DIM, "%s",
            name_fit_path(d->store, where, room));
    }
    if (l->symbol->inlined)
        ink(k, INK_DIM, " (inlined)");
}

void drawn_stack(const struct drawn *d, const struct site *site, u32 lines)
{
    if (site->other) {
        ink_to(d->k, LEFT);
        ink(d->k, INK_DIM, "stacks that found no room in the recording");
        ink_line(d->k);
        return;
    }
    struct stack s = stack_cut(d->symbols, d->store, site, d->whole ? 0 : lines);
    const char **names = store_push(d->store, (s.lines_count + 1) * sizeof *names);
    u32 width = name_width(d, &s, names);
    for (u32 i = 0; i < s.lines_count; i++) {
        skipped(d, s.lines[i].hidden);
        line(d, &s.lines[i], names[i], width);
        if (i == 0 && s.via != NULL && d->k->column + 6 + strlen(s.via) < d->k->width)
            ink(d->k, INK_DIM, "  via %s", s.via);
        ink_line(d->k);
    }
    skipped(d, s.hidden_last);
    if (site->truncated && d->whole) {
        ink_to(d->k, LEFT);
        ink(d->k, INK_DIM, "(further out unknown)");
        ink_line(d->k);
    }
}

void drawn_again(const struct drawn *d, const struct site *site, u32 lines)
{
    struct stack s = stack_cut(d->symbols, d->store, site, lines);
    ink_to(d->k, LEFT);
    if (s.lines_count > 0)
        ink_cut(d->k, INK_BOLD, name_of(d, s.lines[0].symbol->function), d->k->width - LEFT - 10);
    ink(d->k, INK_DIM, "  as above");
    ink_line(d->k);
}
