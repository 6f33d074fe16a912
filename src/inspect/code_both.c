// code_both.c: two versions of a function, side by side below each source line.

#include "inspect/code_view.h"

#include "inspect/code_style.h"
#include "inspect/source.h"
#include "report/name.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

struct place {
    const char *file;
    u32 line;
};

struct page {
    struct ink k;
    const struct code *side[2];
    const char *name[2];
    struct sources sources;
    struct store store;
    struct place *places; // of both sides, each once
    u32 count;
};

// ---------------------------------------------------------------- the table

static void print_row(struct page *p, const char *what, u64 a, u64 b)
{
    struct ink *k = &p->k;
    char n[WORDS_SIZE];
    if (a == 0 && b == 0)
        return;
    ink_to(k, 2);
    ink(k, INK_PLAIN, "%-20s", what);
    ink(k, INK_PLAIN, "%14s", words_count(n, a));
    ink(k, b == a ? INK_DIM : INK_BOLD, "%14s", words_count(n, b));
    if (a != 0 && b != a)
        ink(k, INK_DIM, "   %.2f times", (double)b / (double)a);
    ink_line(k);
}

static void print_table(struct page *p)
{
    const struct code *a = p->side[0], *b = p->side[1];
    struct ink *k = &p->k;
    ink(k, INK_BOLD, "%s", a->symbol);
    ink_line(k);
    ink_line(k);
    ink_to(k, 22);
    ink(k, INK_HEAD, "%14.14s%14.14s", p->name[0], p->name[1]);
    ink_line(k);
    print_row(p, "bytes", a->size, b->size);
    print_row(p, "instructions", a->count, b->count);
    print_row(p, "loops", a->loops, b->loops);
    print_row(p, "branches", a->of_kind[CODE_BRANCH], b->of_kind[CODE_BRANCH]);
    print_row(p, "checks", a->of_kind[CODE_CHECK], b->of_kind[CODE_CHECK]);
    print_row(p, "calls", a->of_kind[CODE_CALL], b->of_kind[CODE_CALL]);
    print_row(p, "vector instructions", a->of_kind[CODE_VECTOR], b->of_kind[CODE_VECTOR]);
    print_row(p, "bytes of stack", a->frame, b->frame);
    ink_line(k);
}

// ---------------------------------------------------------------- line by line

static int compare_text(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return (a == NULL) - (b == NULL); // what has no source comes last
    return strcmp(a, b);
}

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int r = compare_text(x->file, y->file);
    return r != 0 ? r : (x->line > y->line) - (x->line < y->line);
}

static bool same(const struct place *a, const struct insn *i)
{
    return a->line == i->line && compare_text(a->file, i->file) == 0;
}

static void collect(struct page *p)
{
    u32 n = 0;
    p->places =
        store_push(&p->store, (p->side[0]->count + p->side[1]->count + 1) * sizeof *p->places);
    for (u32 s = 0; s < 2; s++) {
        for (u32 i = 0; i < p->side[s]->count; i++) {
            const struct insn *x = &p->side[s]->insns[i];
            if (n == 0 || !same(&p->places[n - 1], x))
                p->places[n++] = (struct place){x->file, x->line};
        }
    }
    if (n > 0)
        qsort(p->places, n, sizeof *p->places, by_place);
    for (u32 i = 0; i < n; i++) {
        if (p->count == 0 || by_place(&p->places[p->count - 1], &p->places[i]) != 0)
            p->places[p->count++] = p->places[i];
    }
}

// The next instruction of a side that belongs to a place, from *at on; NULL: no more.
static const struct insn *next_of(const struct code *c, const struct place *at, u32 *from)
{
    for (; *from < c->count; (*from)++) {
        if (same(at, &c->insns[*from]))
            return &c->insns[(*from)++];
    }
    return NULL;
}

static void print_cell(struct ink *k, const struct code *c, const struct insn *i, u32 room)
{
    char text[512];
    bool named = i->remark != NULL && i->kind != CODE_VECTOR && i->kind != CODE_PLAIN;
    ink(k, code_style(i->kind), "%-8.12s ", i->name);
    snprintf(text, sizeof text, "%s", named ? i->remark : i->operands);
    // No addresses stand beside the code here: a jump is told by the line that it goes to.
    if (i->goes_to != CODE_OUTSIDE && c->insns[i->goes_to].line != 0)
        snprintf(text, sizeof text, "%s line %u", &c->insns[i->goes_to] <= i ? "back to" : "to",
                 c->insns[i->goes_to].line);
    ink_cut(k, named ? INK_MAGENTA : INK_PLAIN, text, room > 10 ? room - 10 : 1);
}

static void print_place(struct page *p, const struct place *at)
{
    struct ink *k = &p->k;
    u32 from[2] = {0, 0}, half = (k->width - 6) / 2;
    for (;;) {
        const struct insn *a = next_of(p->side[0], at, &from[0]);
        const struct insn *b = next_of(p->side[1], at, &from[1]);
        if (a == NULL && b == NULL)
            break;
        ink_to(k, 4);
        if (a != NULL)
            print_cell(k, p->side[0], a, half - 3);
        ink_to(k, 4 + half - 2);
        ink(k, INK_DIM, "│ ");
        if (b != NULL)
            print_cell(k, p->side[1], b, half - 1);
        ink_line(k);
    }
}

static void print_lines(struct page *p)
{
    struct ink *k = &p->k;
    const char *file = NULL;
    char path[1024];
    for (u32 i = 0; i < p->count; i++) {
        const struct place *at = &p->places[i];
        if (i == 0 || compare_text(file, at->file) != 0) {
            snprintf(path, sizeof path, "%s", at->file == NULL ? "no source" : at->file);
            ink(k, INK_HEAD, "%s", at->file == NULL ? path : name_near_path(path));
            ink_line(k);
            file = at->file;
        }
        const char *text = source_line(&p->sources, at->file, at->line);
        if (at->file != NULL) {
            ink(k, INK_CYAN, "%5u  ", at->line);
            ink_cut(k, INK_BOLD, text == NULL ? "" : text, k->width - 7);
            ink_line(k);
        }
        print_place(p, at);
    }
}

void code_print_both(FILE *out, const struct code *a, const char *name_a, const struct code *b,
                     const char *name_b)
{
    struct page p = {.k = ink_on(out), .side = {a, b}, .name = {name_a, name_b}};
    p.sources.store = &p.store;
    collect(&p);
    print_table(&p);
    print_lines(&p);
    store_done(&p.store);
}
