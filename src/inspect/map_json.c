// map_json.c: `loam map --json`; the schema is in docs/map-json.md.
#include "inspect/account_view.h"
#include "inspect/map.h"

#include "report/jot.h"

#include <stdlib.h>
#include <string.h>

static json_t *states(const u64 by[RES_COUNT])
{
    json_t *o = json_object();
    for (int i = 0; i < RES_COUNT; i++)
        if (by[i] != 0)
            json_object_set_new(o, residence_names[i], jot_int(by[i]));
    return o;
}

static json_t *owners(const struct map_view *m)
{
    json_t *list = json_array();
    for (size_t i = 0; i < m->owner_count; i++) {
        const struct map_owner *w = &m->owner[i];
        char label[MAP_LABEL];
        json_t *o = json_pack("{s:s, s:o, s:s}", "kind", space_kind_names[w->kind], "name",
                              jot_foreign(w->name), "label", map_label(label, w->kind, w->name));
        json_object_set_new(o, "size", jot_int(w->size));
        json_object_set_new(o, "rss", jot_int(w->rss));
        json_object_set_new(o, "swap", jot_int(w->swap));
        json_object_set_new(o, "parts", jot_int(w->parts));
        json_object_set_new(o, "states", states(w->by));
        json_array_append_new(list, o);
    }
    return list;
}

// ---------------------------------------------------------------- parts

static json_t *sections(const struct map_view *m, const struct space_part *p)
{
    json_t *list = json_array();
    const struct section *x = sections_from(&m->sections, p->start);
    const struct section *stop = m->sections.section + m->sections.count;
    for (; x != NULL && x < stop && x->start < p->end; x++)
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "name", jot_foreign(x->name),
                                              "start", jot_int(x->start), "end", jot_int(x->end)));
    return list;
}

// A run is a list: start, end, state, and the first frame if it is known.
static json_t *pages(const struct map_view *m, const struct space_part *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->run_count; i++) {
        const struct residence_run *r = &m->space.run[p->run_first + i];
        json_t *one =
            json_pack("[o, o, s]", jot_int(r->start), jot_int(r->end), residence_names[r->state]);
        if (r->frame != 0)
            json_array_append_new(one, jot_int(r->frame));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *part(const struct map_view *m, const struct space_part *p,
                    const struct map_options *o)
{
    const struct map *map = &m->space.smaps.smap[p->mapping].map;
    char access[5] = {map->readable ? 'r' : '-', map->writable ? 'w' : '-',
                      map->executable ? 'x' : '-', map->shared ? 's' : 'p', 0};
    json_t *j = json_pack("{s:o, s:o, s:s, s:s, s:o}", "start", jot_int(p->start), "end",
                          jot_int(p->end), "access", access, "kind", space_kind_names[p->kind],
                          "name", jot_foreign(p->name));
    char label[MAP_LABEL];
    json_object_set_new(j, "label", json_string(map_label(label, p->kind, p->name)));
    json_object_set_new(j, "path", *map->path != 0 ? jot_foreign(map->path) : json_null());
    json_object_set_new(j, "offset", jot_int(map->offset + (p->start - map->start)));
    json_object_set_new(j, "tid", p->tid != 0 ? jot_int((u64)p->tid) : json_null());
    json_object_set_new(j, "rss", jot_int(space_resident(p)));
    json_object_set_new(j, "states", states(p->by));
    json_object_set_new(j, "sections", sections(m, p));
    if (o->pages)
        json_object_set_new(j, "pages", pages(m, p));
    return j;
}

// Of loam's heap: start, end, bytes a block (0: one large block), live blocks, blocks.
static json_t *slabs(const struct blocks *b)
{
    json_t *list = json_array();
    for (u32 i = 0; i < b->span_count; i++) {
        const struct span *s = &b->span[i];
        u64 live = 0;
        for (u32 w = 0; w * 64 < s->blocks; w++)
            live += bits_in(b->live[s->slot / 64 + w]);
        json_array_append_new(list, json_pack("[o, o, o, o, o]", jot_int(s->start),
                                              jot_int(s->start + s->size * s->blocks),
                                              jot_int(s->single ? 0 : s->size), jot_int(live),
                                              jot_int(s->blocks)));
    }
    return list;
}

static json_t *named(const struct owners *o)
{
    json_t *list = json_array();
    for (size_t i = 0; i < o->count; i++) {
        const struct owned *x = &o->owned[i];
        json_t *j = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "kind", jot_foreign(x->kind),
                              "name", jot_foreign(x->name), "place", jot_foreign(x->place), "held",
                              jot_int(x->held), "used", jot_int(x->used), "used_max",
                              jot_int(x->used_max), "resets", jot_int(x->resets));
        json_array_append_new(list, j);
    }
    return list;
}

// ---------------------------------------------------------------- all

json_t *map_json(const struct map_view *m, const struct map_options *o)
{
    const struct space *s = &m->space;
    json_t *j = json_pack("{s:s, s:s, s:o, s:o, s:o}", "schema", "loam-map/1", "loam", LOAM_VERSION,
                          "pid", jot_int((u64)m->status.pid), "name", jot_foreign(m->status.name),
                          "command", jot_foreign(m->status.command));
    json_object_set_new(j, "core", json_boolean(space_is_core(s)));
    json_object_set_new(j, "os_page", jot_int(s->residence.os_page));
    json_object_set_new(j, "pages_known", json_boolean(s->no_pages == 0));
    json_object_set_new(j, "frames_known", json_boolean(s->residence.frames));
    json_object_set_new(j, "memory_known", json_boolean(s->no_memory == 0));
    json_object_set_new(j, "loam_heap", json_boolean(s->root != 0));
    json_object_set_new(j, "rss", jot_int(m->rss));
    json_object_set_new(j, "swap", jot_int(m->swap));
    json_object_set_new(j, "size", jot_int(m->size));
    json_object_set_new(j, "reserved", jot_int(m->reserved));
    json_object_set_new(j, "page_tables", jot_int(m->status.page_tables));
    json_object_set_new(j, "states", states(m->by));
    json_object_set_new(j, "account", account_json(&m->account));
    json_object_set_new(j, "classes", account_classes_json(&m->account));
    json_object_set_new(j, "owners", owners(m));
    json_object_set_new(j, "named", named(&s->owners));
    if (o->pages)
        json_object_set_new(j, "slabs", slabs(&s->blocks));
    json_t *list = json_array();
    for (size_t i = 0; i < s->part_count && s->part[i].end <= INT64_MAX; i++)
        json_array_append_new(list, part(m, &s->part[i], o));
    json_object_set_new(j, "parts", list);
    return j;
}
