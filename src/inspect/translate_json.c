// translate_json.c: `loam translate --json`; the schema is in docs/translate-json.md.
#include "inspect/map.h"
#include "inspect/translate.h"

#include "report/jot.h"

#include <stdlib.h>
#include <string.h>

// Addresses may be above what JSON's integers hold.
static json_t *address(u64 n)
{
    char text[32];
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)n);
    return json_string(text);
}

static json_t *levels(const struct translate *t)
{
    json_t *list = json_array();
    for (u32 i = 0; i < t->levels; i++) {
        const struct translate_level *l = &t->level[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:o, s:o, s:o, s:b}", "level", l->name, "index",
                                        jot_int(l->index), "start", address(l->start), "covers",
                                        jot_int(l->covers), "rss", jot_int(l->resident), "used",
                                        (int)(i < t->used_levels)));
    }
    return list;
}

static json_t *frame(const struct translate *t)
{
    if (t->frame == 0)
        return json_null();
    json_t *flags = json_array(), *shared = json_array();
    for (u32 bit = 0; bit < 64; bit++)
        if (t->frame_flags >> bit & 1 && translate_flag(bit) != NULL)
            json_array_append_new(flags, json_string(translate_flag(bit)));
    for (size_t i = 0; i < t->sharers.count; i++)
        json_array_append_new(shared,
                              json_pack("{s:i, s:s, s:o}", "pid", (int)t->sharers.sharer[i].pid,
                                        "name", t->sharers.sharer[i].name, "address",
                                        address(t->sharers.sharer[i].addr)));
    return json_pack("{s:o, s:o, s:o, s:o}", "number", jot_int(t->frame), "flags", flags, "mapped",
                     t->flags_known ? jot_int(t->frame_count) : json_null(), "others", shared);
}

static json_t *mapping(const struct translate *t)
{
    if (t->part == NULL)
        return json_null();
    const struct map *m = t->map;
    char label[MAP_LABEL];
    json_t *o = json_pack("{s:o, s:o, s:o}", "start", address(m->start), "end", address(m->end),
                          "path", *m->path != 0 ? jot_foreign(m->path) : json_null());
    json_object_set_new(o, "offset",
                        m->inode != 0 ? jot_int(m->offset + (t->addr - m->start)) : json_null());
    json_object_set_new(o, "section",
                        t->section != NULL ? jot_foreign(t->section->name) : json_null());
    json_object_set_new(o, "kind", json_string(space_kind_names[t->part->kind]));
    json_object_set_new(o, "owner", json_string(map_label(label, t->part->kind, t->part->name)));
    json_object_set_new(o, "tid", t->part->tid != 0 ? jot_int((u64)t->part->tid) : json_null());
    return o;
}

static json_t *block(struct translate *t)
{
    const struct translate_block *b = &t->block;
    if (!b->known)
        return json_null();
    const struct site *site = b->live ? blame_site(&t->blame, b->site) : NULL;
    json_t *o =
        json_pack("{s:o, s:o, s:o, s:b, s:b}", "start", address(b->start), "size", jot_int(b->size),
                  "offset", jot_int(b->offset), "live", (int)b->live, "large", (int)b->single);
    json_object_set_new(o, "asked", b->asked != 0 ? jot_int(b->asked) : json_null());
    json_object_set_new(o, "index", jot_int(b->index));
    json_object_set_new(o, "blocks", jot_int(b->blocks));
    json_object_set_new(o, "stack", site != NULL ? blame_json(&t->blame, site) : json_null());
    return o;
}

static json_t *named(const struct translate *t)
{
    u64 offset;
    const struct owned *x = owners_find(&t->space.owners, t->addr, &offset);
    return x == NULL ? json_null()
                     : json_pack("{s:o, s:o, s:o, s:o}", "kind", jot_foreign(x->kind), "name",
                                 jot_foreign(x->name), "place", jot_foreign(x->place), "offset",
                                 jot_int(offset));
}

json_t *translate_json(struct translate *t)
{
    bool known = t->space.no_pages == 0 && t->part != NULL;
    json_t *o = json_pack("{s:s, s:s, s:i, s:o}", "schema", "loam-translate/1", "loam",
                          LOAM_VERSION, "pid", (int)t->status.pid, "address", address(t->addr));
    json_object_set_new(o, "levels", levels(t));
    json_object_set_new(o, "state", known ? json_string(residence_names[t->state]) : json_null());
    json_object_set_new(o, "huge", json_boolean(t->huge));
    json_object_set_new(o, "frames_known", json_boolean(t->space.residence.frames));
    json_object_set_new(o, "memory_known", json_boolean(t->space.no_memory == 0));
    json_object_set_new(o, "frame", frame(t));
    json_object_set_new(o, "mapping", mapping(t));
    json_object_set_new(o, "named", named(t));
    json_object_set_new(o, "block", block(t));
    return o;
}
