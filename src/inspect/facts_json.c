// facts_json.c: everything that facts.h has, as one object.

#include "inspect/facts_view.h"

#include <jansson.h>

static json_t *integer(u64 n)
{
    return json_integer((json_int_t)n);
}

static json_t *text(const char *s)
{
    return s == NULL ? json_null() : json_string(s);
}

static json_t *segments(const struct facts *f)
{
    static const char *const names[] = {"NULL", "LOAD",  "DYNAMIC", "INTERP",
                                        "NOTE", "SHLIB", "PHDR",    "TLS"};
    json_t *list = json_array();
    for (u32 i = 0; i < f->segments_count; i++) {
        const struct segment *s = &f->segments[i];
        json_t *o =
            json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "type",
                      s->type < countof(names) ? json_string(names[s->type]) : integer(s->type),
                      "rights", facts_rights(s->flags), "offset", integer(s->offset), "file_size",
                      integer(s->file_size), "address", integer(s->address), "memory_size",
                      integer(s->mem_size), "align", integer(s->align));
        if (s->mapped) {
            json_object_set_new(o, "resident", integer(s->resident));
            json_object_set_new(o, "copied", integer(s->copied));
            json_object_set_new(o, "swapped", integer(s->swapped));
        }
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *sections(const struct facts *f)
{
    json_t *list = json_array();
    for (u32 i = 0; i < f->sections_count; i++) {
        const struct section *s = &f->sections[i];
        json_t *o = json_pack("{s:s, s:o, s:o, s:o, s:o, s:b, s:o}", "name", s->name, "offset",
                              integer(s->offset), "file_size", integer(s->file_size), "address",
                              integer(s->address), "memory_size",
                              integer((s->flags & SHF_ALLOC) != 0 ? s->size : 0), "loaded",
                              (s->flags & SHF_ALLOC) != 0, "segment",
                              s->segment == FACTS_NONE ? json_null() : integer(s->segment));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *hardening(const struct facts_view *v)
{
    static const char *const verdicts[] = {"yes", "partly", "no", "does-not-apply"};
    json_t *o = json_object();
    for (u32 i = 0; i < v->hardening_count; i++) {
        const struct hardening *h = &v->hardening[i];
        json_object_set_new(
            o, h->name, json_pack("{s:s, s:s}", "verdict", verdicts[h->verdict], "text", h->says));
    }
    return o;
}

static json_t *needs(const struct needs *n)
{
    json_t *list = json_array();
    for (u32 i = 0; i < n->count; i++) {
        const struct library *l = &n->items[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:b}", "name", l->name, "path",
                                              text(l->path), "needed_by", text(l->wanted),
                                              "missing", l->path == NULL && !n->foreign));
    }
    return list;
}

static json_t *debug(const struct facts *f)
{
    return json_pack("{s:o, s:o, s:b, s:b, s:o, s:o, s:o}", "dwarf",
                     f->dwarf == 0 ? json_null() : integer(f->dwarf), "bytes",
                     integer(f->debug_size), "split", f->split, "symbols", f->symbols, "link",
                     text(f->debug_link), "alt", text(f->debug_alt), "file", text(f->debug_file));
}

static json_t *resident(const struct resident *r)
{
    if (r == NULL)
        return json_null();
    return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:o}", "pid", (int)r->pid, "command",
                     r->command, "base", integer(r->base), "mapped", integer(r->size), "resident",
                     integer(r->present), "copied", integer(r->copied), "swapped",
                     integer(r->swapped));
}

static json_t *identity(const struct facts *f)
{
    char id[2 * FACTS_ID_MAX + 1] = "";
    for (u32 i = 0; i < f->id_len; i++)
        snprintf(id + 2 * i, 3, "%02x", f->id[i]);
    return f->id_len == 0 ? json_null() : json_string(id);
}

static json_t *relocs(const struct facts *f)
{
    json_t *o = json_object();
    for (u32 i = 0; i < f->relocs_count; i++)
        json_object_set_new(o, f->relocs[i].name, integer(f->relocs[i].count));
    return o;
}

void facts_json(FILE *out, const struct facts_view *v)
{
    const struct facts *f = v->facts;
    json_t *o = json_pack("{s:s, s:s, s:o, s:s, s:s, s:i, s:b}", "schema", "loam-elf/1", "path",
                          f->path, "size", integer(f->file_size), "kind", facts_kind(f), "machine",
                          facts_machine(f->machine), "bits", (int)f->class_bits, "big_endian",
                          f->big_endian);
    json_object_set_new(o, "entry", integer(f->entry));
    json_object_set_new(o, "entry_name", text(f->entry_name));
    json_object_set_new(o, "interpreter", text(f->interpreter));
    json_object_set_new(o, "soname", text(f->soname));
    json_object_set_new(o, "runpath", text(f->runpath != NULL ? f->runpath : f->rpath));
    json_object_set_new(o, "build_id", identity(f));
    json_object_set_new(o, "compiler", text(f->compiler));
    json_object_set_new(o, "debug", debug(f));
    json_object_set_new(o, "disk_only", integer(facts_disk_only(f)));
    json_object_set_new(o, "memory_only", integer(facts_memory_only(f)));
    json_object_set_new(o, "segments", segments(f));
    json_object_set_new(o, "sections", sections(f));
    json_object_set_new(o, "hardening", hardening(v));
    json_object_set_new(o, "needs", needs(&v->needs));
    json_object_set_new(o, "relocations", relocs(f));
    json_object_set_new(o, "resident", resident(v->resident));
    json_t *trouble = json_array();
    for (u32 i = 0; i < f->trouble_count; i++)
        json_array_append_new(trouble, json_string(f->trouble[i]));
    json_object_set_new(o, "trouble", trouble);
    json_dumpf(o, out, JSON_INDENT(1));
    fputc('\n', out);
    json_decref(o);
}
