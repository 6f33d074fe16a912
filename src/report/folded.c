// folded.c: "main;read_file;parse 1234": a stack a line, outermost first, and one number.

#include "report/export.h"

#include "report/rows.h"
#include "report/stack.h"

#include <stdlib.h>
#include <string.h>

// A semicolon would part a name in two, as in no C++ name but in hostile ones.
static void put_name(FILE *out, const char *name)
{
    for (; *name != 0; name++)
        fputc(*name == ';' || *name == '\n' ? ':' : *name, out);
}

static void put_row(FILE *out, struct store *lines, const struct row *r, u64 value)
{
    struct stack s = stack_cut(r->symbols, lines, r->place->sample, STACK_FOLDED);
    if (s.lines_count == 0)
        fputs("(other stacks)", out);
    for (u32 i = s.lines_count; i-- > 0;) {
        put_name(out, s.lines[i].symbol->function);
        if (i > 0)
            fputc(';', out);
    }
    fprintf(out, " %llu\n", (unsigned long long)value);
    store_clear(lines);
}

int folded_write(FILE *out, struct model *m, u32 gauge)
{
    struct symbols *symbols = symbols_new(&m->store);
    struct rows rows = rows_of(m, symbols);
    struct store lines = {0};
    for (u32 i = 0; i < rows.count; i++) {
        if (rows.items[i].after[gauge] != 0)
            put_row(out, &lines, &rows.items[i], rows.items[i].after[gauge]);
    }
    store_done(&lines);
    rows_done(&rows);
    symbols_free(symbols);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
