// code_json.c: the same for machines.

#include "inspect/code_view.h"

#include "report/jot.h"

#include <string.h>

static json_t *insn(const struct insn *i)
{
    const char *kind = code_kind_word(i->kind);
    json_t *o = json_pack("{s:o, s:i, s:s, s:s, s:s}", "address", jot_int(i->at), "size",
                          (int)i->size, "mnemonic", i->name, "operands", i->operands, "kind",
                          *kind == 0 ? "plain" : kind);
    json_object_set_new(o, "remark", jot_text(i->remark));
    json_object_set_new(o, "target", i->target == UINT64_MAX ? json_null() : jot_int(i->target));
    json_object_set_new(o, "file", jot_text(i->file));
    json_object_set_new(o, "line", i->line == 0 ? json_null() : jot_int(i->line));
    return o;
}

static json_t *function(const struct code *c, const char *name)
{
    json_t *list = json_array(), *counts = json_object();
    for (u32 i = 0; i < c->count; i++)
        json_array_append_new(list, insn(&c->insns[i]));
    for (u32 i = CODE_JUMP; i <= CODE_TRAP; i++)
        json_object_set_new(counts, code_kind_word((enum code_kind)i), jot_int(c->of_kind[i]));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "version", name, "path",
                     c->path, "symbol", c->symbol, "address", jot_int(c->at), "size",
                     jot_int(c->size), "loops", jot_int(c->loops), "stack", jot_int(c->frame),
                     "counts", counts, "cut", c->cut, "instructions", list);
}

void code_json(FILE *out, const struct code *a, const char *name_a, const struct code *b,
               const char *name_b)
{
    json_t *list = json_array();
    json_array_append_new(list, function(a, name_a));
    if (b != NULL)
        json_array_append_new(list, function(b, name_b));
    json_t *o = json_pack("{s:s, s:o}", "schema", "loam-asm/1", "functions", list);
    json_dumpf(o, out, JSON_INDENT(1));
    fputc('\n', out);
    json_decref(o);
}
