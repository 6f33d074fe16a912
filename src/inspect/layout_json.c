// layout_json.c: the same for machines; offsets and sizes in bits, where members may be bit-fields.

#include "inspect/layout_view.h"

#include "report/jot.h"

static json_t *member(const struct layout *l, const struct member *m)
{
    static const char *const kinds[] = {"field", "base", "vtable"};
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:i, s:i, s:b, s:b, s:b}", "name", m->name,
                     "declaration", m->declaration, "kind", kinds[m->kind], "bit", jot_int(m->at),
                     "bits", jot_int(m->size), "align", (int)m->align, "depth", (int)m->depth,
                     "bitfield", m->bitfield, "atomic", m->shared, "shares_line",
                     layout_crowded(l, m));
}

static json_t *order(const struct layout *l)
{
    if (l->order == NULL)
        return json_null();
    json_t *list = json_array();
    for (u32 i = 0; i < l->order_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name",
                                              l->record->members[l->order[i]].name, "declaration",
                                              l->record->members[l->order[i]].declaration, "bit",
                                              jot_int(l->order_at[i])));
    return list;
}

static json_t *one(const struct layout *l)
{
    const struct shape *r = l->record;
    json_t *members = json_array(), *holes = json_array();
    for (u32 i = 0; i < r->count; i++) {
        if (!r->members[i].closes)
            json_array_append_new(members, member(l, &r->members[i]));
    }
    for (u32 i = 0; i < l->holes_count; i++)
        json_array_append_new(holes, json_pack("{s:o, s:o, s:b}", "bit", jot_int(l->holes[i].at),
                                               "bits", jot_int(l->holes[i].size), "padding",
                                               l->holes[i].before == r->count));
    json_t *o =
        json_pack("{s:s, s:s, s:o, s:i, s:o, s:i}", "name", r->name, "kind", r->word, "size",
                  jot_int(r->size), "align", (int)r->align, "file",
                  r->file == NULL ? json_null() : json_string(r->file), "line", (int)r->line);
    json_object_set_new(o, "cache_lines", jot_int(l->lines));
    json_object_set_new(o, "wasted_bits", jot_int(l->wasted));
    json_object_set_new(o, "on_two_lines", jot_int(l->straddlers));
    json_object_set_new(o, "best_size", jot_int(l->best));
    json_object_set_new(o, "members", members);
    json_object_set_new(o, "holes", holes);
    json_object_set_new(o, "order", order(l));
    return o;
}

void layout_json(FILE *out, const struct layout_view *v)
{
    const struct structs *s = v->structs;
    json_t *list = json_array();
    for (u32 i = 0; i < s->count; i++)
        json_array_append_new(list, one(s->items[i]));
    json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:o}", "schema", "loam-layout/1", "path", v->path,
                          "units", jot_int(s->walk.units), "units_missing",
                          jot_int(s->walk.units_missing), "structs", list);
    json_dumpf(o, out, JSON_INDENT(1));
    fputc('\n', out);
    json_decref(o);
}
