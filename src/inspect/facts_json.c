// facts_json.c: everything that facts.h has, as one object.

#include "inspect/facts_view.h"

#include "report/jot.h"

static json_t *segments(const struct facts *f)
{
    static const char *const names[] = {"NULL", "LOAD",  "DYNAMIC", "INTERP",
                                        "NOTE", "SHLIB", "PHDR",    "TLS"};
    json_t *list = json_array();
    for (u32 i = 0; i < f->segments_count; i++) {
        const struct segment *s = &f->segments[i];
        json_t *o =
            json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "type",
                      s->type < countof(names) ? json_string(names[s->type]) : jot_int(s->type),
                      "rights", facts_rights(s->flags), "offset", jot_int(s->offset), "file_size",
                      jot_int(s->file_size), "address", jot_int(s->address), "memory_size",
                      jot_int(s->mem_size), "align", jot_int(s->align));
        if (s->mapped) {
            json_object_set_new(o, "resident", jot_int(s->resident));
            json_object_set_new(o, "copied", jot_int(s->copied));
            json_object_set_new(o, "swapped", jot_int(s->swapped));
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
                              jot_int(s->offset), "file_size", jot_int(s->file_size), "address",
                              jot_int(s->address), "memory_size",
                              jot_int((s->flags & SHF_ALLOC) != 0 ? s->size : 0), "loaded",
                              (s->flags & SHF_ALLOC) != 0, "segment",
                              s->segment == FACTS_NONE ? json_null() : jot_int(s->segment));
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
                                              jot_text(l->path), "needed_by", jot_text(l->wanted),
                                              "missing", l->path == NULL && !n->foreign));
    }
    return list;
}

static json_t *debug(const struct facts *f)
{
    return json_pack("{s:o, s:o, s:b, s:b, s:o, s:o, s:o}", "dwarf",
                     f->dwarf == 0 ? json_null() : jot_int(f->dwarf), "bytes",
                     jot_int(f->debug_size), "split", f->split, "symbols", f->symbols, "link",
                     jot_text(f->debug_link), "alt", jot_text(f->debug_alt), "file",
                     jot_text(f->debug_file));
}

static json_t *resident(const struct resident *r)
{
    if (r == NULL)
        return json_null();
    return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:o}", "pid", (int)r->pid, "command",
                     r->command, "base", jot_int(r->base), "mapped", jot_int(r->size), "resident",
                     jot_int(r->present), "copied", jot_int(r->copied), "swapped",
                     jot_int(r->swapped));
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
        json_object_set_new(o, f->relocs[i].name, jot_int(f->relocs[i].count));
    return o;
}

void facts_json(FILE *out, const struct facts_view *v)
{
    const struct facts *f = v->facts;
    json_t *o = json_pack("{s:s, s:s, s:o, s:s, s:s, s:i, s:b}", "schema", "loam-elf/1", "path",
                          f->path, "size", jot_int(f->file_size), "kind", facts_kind(f), "machine",
                          facts_machine(f->machine), "bits", (int)f->class_bits, "big_endian",
                          f->big_endian);
    json_object_set_new(o, "entry", jot_int(f->entry));
    json_object_set_new(o, "entry_name", jot_text(f->entry_name));
    json_object_set_new(o, "interpreter", jot_text(f->interpreter));
    json_object_set_new(o, "soname", jot_text(f->soname));
    json_object_set_new(o, "runpath", jot_text(f->runpath != NULL ? f->runpath : f->rpath));
    json_object_set_new(o, "build_id", identity(f));
    json_object_set_new(o, "compiler", jot_text(f->compiler));
    json_object_set_new(o, "debug", debug(f));
    json_object_set_new(o, "disk_only", jot_int(facts_disk_only(f)));
    json_object_set_new(o, "memory_only", jot_int(facts_memory_only(f)));
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
