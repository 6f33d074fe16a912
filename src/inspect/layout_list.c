// layout_list.c: the structs of a program that are worth a look.

#include "inspect/layout_view.h"

#include "report/ink.h"
#include "report/name.h"
#include "report/utf8.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

#define NAME_AT 44

static bool shown(const struct layout_view *v, const struct layout *l)
{
    return v->all || !structs_foreign(l);
}

static const char *near_place(const struct shape *r, char *buf, size_t size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s", r->file == NULL ? "" : r->file);
    snprintf(buf, size, "%s:%u", name_near_path(path), r->line);
    return r->file == NULL ? "" : buf;
}

struct sum {
    u32 structs, better, crowded, hidden;
    u64 saved, wasted;
};

static struct sum sum_of(const struct layout_view *v)
{
    struct sum sum = {0};
    for (u32 i = 0; i < v->structs->count; i++) {
        const struct layout *l = v->structs->items[i];
        sum.hidden += !shown(v, l);
        if (!shown(v, l))
            continue;
        sum.structs++;
        sum.better += l->order != NULL;
        sum.crowded += l->shared_pairs > 0;
        sum.saved += l->record->size - l->best;
        sum.wasted += l->wasted / 8;
    }
    return sum;
}

static void print_row(struct ink *k, const struct layout *l)
{
    const struct shape *r = l->record;
    char place[1100];
    u64 saved = r->size - l->best, lines = (l->best + LAYOUT_LINE - 1) / LAYOUT_LINE;
    ink(k, saved > 0 ? INK_BOLD : INK_DIM, "%8llu", (unsigned long long)saved);
    ink(k, INK_PLAIN, "%8llu%8llu", (unsigned long long)(l->wasted / 8),
        (unsigned long long)r->size);
    if (saved > 0)
        ink(k, INK_GOOD, " > %-6llu", (unsigned long long)l->best);
    ink_to(k, 33);
    ink(k, INK_PLAIN, "%4llu", (unsigned long long)l->lines);
    if (lines < l->lines)
        ink(k, INK_GOOD, " > %llu", (unsigned long long)lines);
    ink_to(k, NAME_AT);
    near_place(r, place, sizeof place);
    u32 room = k->width - NAME_AT, wide = (u32)strlen(place);
    ink_cut(k, INK_PLAIN, r->name, wide + 12 < room ? room - wide - 2 : room);
    if (wide + 12 < room)
        ink(k, INK_DIM, "  %s", place);
    ink_line(k);
}

static void print_rows(struct ink *k, const struct layout_view *v)
{
    u32 n = 0, more = 0;
    for (u32 i = 0; i < v->structs->count; i++) {
        const struct layout *l = v->structs->items[i];
        if (!shown(v, l) || l->wasted < 8)
            continue;
        if (n++ == 0) {
            ink(k, INK_HEAD, "%8s%8s%8s%16s   %s", "SAVES", "WASTES", "SIZE", "LINES", "STRUCT");
            ink_line(k);
        }
        if (n <= v->rows)
            print_row(k, l);
        else
            more++;
    }
    if (more > 0) {
        ink_to(k, 6);
        ink(k, INK_DIM, "and %u more with holes: --all", more);
        ink_line(k);
    }
}

static void print_crowd(struct ink *k, const struct layout *l)
{
    u32 n = 0;
    for (u32 i = 0; i < l->record->count; i++) {
        const struct member *m = &l->record->members[i];
        if (!layout_crowded(l, m))
            continue;
        if (k->column + utf8_width(m->name) + 5 > k->width) {
            ink(k, INK_DIM, ", …");
            return;
        }
        ink(k, INK_WARN, "%s%s", n++ == 0 ? "" : ", ", m->name);
    }
}

// Atomics that share a line, one struct a line.
static void print_crowded(struct ink *k, const struct layout_view *v)
{
    u32 told = 0;
    for (u32 i = 0; i < v->structs->count && told < v->rows; i++) {
        const struct layout *l = v->structs->items[i];
        if (!shown(v, l) || l->shared_pairs == 0)
            continue;
        if (told++ == 0) {
            ink_line(k);
            ink(k, INK_HEAD, "SHARED");
            ink_to(k, 12);
            ink_wrap(k, INK_PLAIN,
                     "atomics and locks in one cache line: threads that write them wait for each "
                     "other, even if each has its own");
        }
        ink_to(k, 12);
        ink(k, INK_BOLD, "%s", l->record->name);
        ink(k, INK_PLAIN, ": ");
        print_crowd(k, l);
        ink_line(k);
    }
}

static void print_missing(struct ink *k, const struct walk *w)
{
    char text[512];
    if (w->units_missing == 0)
        return;
    snprintf(text, sizeof text,
             "the debug information of %llu units is in files that are not here, the first is "
             "%.200s: what they declare is not shown",
             (unsigned long long)w->units_missing, w->missing);
    ink_line(k);
    ink(k, INK_WARN, "MISSING");
    ink_to(k, 12);
    ink_wrap(k, INK_PLAIN, text);
}

void layout_list(FILE *out, const struct layout_view *v)
{
    struct ink k = ink_on(out);
    struct sum sum = sum_of(v);
    char text[320], n1[WORDS_SIZE];
    ink(&k, INK_BOLD, "%s", v->path);
    ink(&k, INK_PLAIN, " · %s", words_of(n1, sum.structs, "struct"));
    if (sum.hidden > 0)
        ink(&k, INK_DIM, ", and %s of system headers (--all)", words_count(n1, sum.hidden));
    ink_line(&k);
    snprintf(text, sizeof text,
             "%u of them would be smaller with their members in another order: %s if there were "
             "one object of each. Bytes, an object:",
             sum.better, words_size(n1, sum.saved));
    if (sum.better > 0) {
        ink_line(&k);
        ink_wrap(&k, INK_PLAIN, text);
    }
    ink_line(&k);
    print_rows(&k, v);
    print_crowded(&k, v);
    print_missing(&k, &v->structs->walk);
    if (sum.structs > 0) {
        ink_line(&k);
        ink(&k, INK_HEAD, "NEXT");
        ink_to(&k, 12);
        ink(&k, INK_PLAIN, "loam layout %s STRUCT", v->path);
        ink_to(&k, k.column + 3);
        ink(&k, INK_DIM, "its members, its map, a better order");
        ink_line(&k);
    }
}
