// blame.c: which place in the program a block of loam's heap came from.
#include "inspect/blame.h"

#include "report/load.h"
#include "report/name.h"
#include "report/utf8.h"

#include <errno.h>
#include <stdlib.h>

#define SITES_MAX ((u32)1 << 24) // more than a tag can name

static bool ours(const struct blame *b, const struct site *s)
{
    return s->process->index == b->process && s->id >= b->first && s->id - b->first < SITES_MAX;
}

static int index_sites(struct blame *b)
{
    const struct model *m = &b->model;
    for (u32 i = 0; i < m->sites_count; i++)
        if (ours(b, &m->sites[i]) && m->sites[i].id - b->first >= b->count)
            b->count = m->sites[i].id - b->first + 1;
    b->by_id = calloc((size_t)b->count + 1, sizeof *b->by_id);
    if (b->by_id == NULL)
        return -ENOMEM;
    for (u32 i = 0; i < m->sites_count; i++)
        if (ours(b, &m->sites[i]))
            b->by_id[m->sites[i].id - b->first] = &m->sites[i];
    return 0;
}

int blame_load(struct blame *b, const struct recorded *r)
{
    char why[512];
    *b = (struct blame){0};
    if (r->process == NULL ||
        load_memory("the recording", r->recording, r->size, &b->model, why, sizeof why) < 0)
        return 0;
    b->process = r->process->index;
    b->first = r->process->first_site;
    int e = index_sites(b);
    if (e < 0) {
        load_done(&b->model);
        return e;
    }
    b->symbols = symbols_new(&b->model.store);
    b->known = true;
    return 0;
}

void blame_done(struct blame *b)
{
    if (b->known) {
        symbols_free(b->symbols);
        load_done(&b->model);
        free(b->by_id);
    }
    *b = (struct blame){0};
}

const struct site *blame_site(const struct blame *b, u32 id)
{
    return b->known && id >= b->first && id - b->first < b->count ? b->by_id[id - b->first] : NULL;
}

static const char *short_name(struct blame *b, const struct stack_line *l)
{
    return name_fit(&b->model.store, name_short(&b->model.store, l->symbol->function), 46);
}

void blame_stack(struct ink *k, struct blame *b, const struct site *site, u32 lines)
{
    u32 left = k->column, width = 0;
    if (site->other) {
        ink(k, INK_DIM, "a stack that found no room in the recording");
        ink_line(k);
        return;
    }
    struct stack s = stack_cut(b->symbols, &b->model.store, site, lines);
    for (u32 i = 0; i < s.lines_count; i++)
        width = (u32)size_max(width, utf8_width(short_name(b, &s.lines[i])));
    for (u32 i = 0; i < s.lines_count; i++) {
        const struct stack_line *l = &s.lines[i];
        ink_to(k, left);
        ink(k, l->mine ? INK_BOLD : INK_PLAIN, "%s", short_name(b, l));
        ink_to(k, left + width + 2);
        ink_cut(k, INK_DIM, stack_where(&b->model.store, l), k->width - k->column);
        ink_line(k);
    }
}

json_t *blame_json(struct blame *b, const struct site *site)
{
    json_t *list = json_array();
    struct stack s = stack_cut(b->symbols, &b->model.store, site, 0);
    for (u32 i = 0; i < s.lines_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "function", s.lines[i].symbol->function,
                                              "where", stack_where(&b->model.store, &s.lines[i])));
    return list;
}
