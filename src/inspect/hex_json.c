// hex_json.c: the same for machines.

#include "inspect/hex.h"

#include "inspect/value.h"
#include "report/jot.h"

#include <stdlib.h>

static json_t *bytes(const struct hex *h)
{
    char *digits = malloc(2 * h->size + 1);
    if (digits == NULL)
        die("loam: out of memory", NULL);
    for (size_t i = 0; i < h->size; i++)
        snprintf(digits + 2 * i, 3, "%02x", h->bytes[i]);
    digits[2 * h->size] = 0;
    json_t *o = json_string(digits);
    free(digits);
    return o;
}

static json_t *pointers(const struct hex *h)
{
    json_t *list = json_array();
    for (u32 i = 0; i < h->pointers_count; i++) {
        const struct hex_pointer *p = &h->pointers[i];
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:s, s:s, s:o}", "offset", jot_int(p->offset),
                                        "value", jot_int(p->value), "kind", p->kind, "to", p->what,
                                        "text", jot_text(p->text)));
    }
    return list;
}

static json_t *field(const struct hex *h, size_t base, const struct field *f)
{
    char value[VALUE_SIZE];
    const struct hex_pointer *pointer;
    value_of(h, base, f, value, &pointer);
    return json_pack("{s:o, s:o, s:i, s:s, s:o, s:o}", "bit", jot_int(8 * base + f->at), "bits",
                     jot_int(f->size), "depth", (int)f->depth, "declaration", f->declaration,
                     "value", f->kind == FIELD_OPENS ? json_null() : json_string(value), "to",
                     jot_text(pointer == NULL ? NULL : pointer->what));
}

static json_t *values(const struct hex *h)
{
    const struct fields *f = h->fields;
    if (f == NULL)
        return json_null();
    json_t *list = json_array();
    for (size_t base = 0; base < h->size && base + f->size <= h->asked; base += f->size) {
        for (u32 i = 0; i < f->count; i++) {
            if (f->items[i].kind != FIELD_CLOSES)
                json_array_append_new(list, field(h, base, &f->items[i]));
        }
    }
    return list;
}

void hex_json(FILE *out, const struct hex *h)
{
    const char *kind;
    json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "schema", "loam-hex/1", "in",
                          h->origin->name, "address", jot_int(h->at), "size", jot_int(h->size),
                          "at", jot_text(origin_what(h->origin, h->at, &kind)), "bytes", bytes(h));
    json_object_set_new(o, "pointers", pointers(h));
    json_object_set_new(o, "zeroes", jot_int(h->zeroes));
    json_object_set_new(o, "texts", jot_int(h->texts));
    json_object_set_new(o, "repeated",
                        h->word_count == 0 ? json_null()
                                           : json_pack("{s:o, s:o}", "word", jot_int(h->word),
                                                       "times", jot_int(h->word_count)));
    json_object_set_new(o, "type", jot_text(h->fields == NULL ? NULL : h->fields->name));
    json_object_set_new(o, "values", values(h));
    json_dumpf(o, out, JSON_INDENT(1));
    fputc('\n', out);
    json_decref(o);
}
