// code_text.c: a function on a page: its figures, its source, its instructions, its jumps.

#include "inspect/code_view.h"

#include "inspect/arrows.h"
#include "inspect/code_style.h"
#include "inspect/source.h"
#include "report/name.h"
#include "report/words.h"

#include <string.h>

struct page {
    struct ink k;
    const struct code *c;
    struct arrows arrows;
    struct sources sources;
    struct store store;
    const char *file; // of the last source line that was printed
    u32 line;
};

enum style code_style(enum code_kind kind)
{
    switch (kind) {
    case CODE_PLAIN:
        return INK_PLAIN;
    case CODE_JUMP:
    case CODE_BRANCH:
        return INK_YELLOW;
    case CODE_CHECK:
    case CODE_TRAP:
        return INK_RED;
    case CODE_CALL:
        return INK_MAGENTA;
    case CODE_RETURN:
        return INK_BLUE;
    case CODE_VECTOR:
        return INK_GREEN;
    }
    return INK_PLAIN;
}

// ---------------------------------------------------------------- head

static void count(struct ink *k, u32 n, const char *noun, enum style style)
{
    char text[WORDS_SIZE];
    if (n == 0)
        return;
    ink(k, INK_PLAIN, "%s", k->column > 11 ? " · " : "");
    words_of(text, n, noun);
    if (n == 1) // "branches": the plural is not always an s
        text[strlen(text) - (strcmp(noun, "branche") == 0)] = 0;
    ink(k, style, "%s", text);
}

static void print_head(struct page *p)
{
    const struct code *c = p->c;
    struct ink *k = &p->k;
    char n[WORDS_SIZE], m[WORDS_SIZE];
    ink(k, INK_BOLD, "%s", c->symbol);
    ink(k, INK_PLAIN, " · %s, %s · %s", words_of(n, c->size, "byte"),
        words_of(m, c->count, "instruction"), c->path);
    ink_line(k);
    ink(k, INK_HEAD, "HAS");
    ink_to(k, 11);
    count(k, c->loops, "loop", INK_YELLOW);
    count(k, c->of_kind[CODE_BRANCH], "branche", INK_YELLOW);
    count(k, c->of_kind[CODE_CHECK], "check", INK_RED);
    count(k, c->of_kind[CODE_CALL], "call", INK_MAGENTA);
    count(k, c->of_kind[CODE_VECTOR], "vector instruction", INK_GREEN);
    if (c->frame > 0)
        ink(k, INK_PLAIN, "%s%s of stack", k->column > 11 ? " · " : "",
            words_of(n, c->frame, "byte"));
    if (k->column == 11)
        ink(k, INK_PLAIN, "no branch, no call");
    ink_line(k);
}

// ---------------------------------------------------------------- body

static void print_source(struct page *p, u32 index)
{
    const struct insn *i = &p->c->insns[index];
    struct ink *k = &p->k;
    char path[1024];
    if (i->file == NULL || (p->file == i->file && p->line == i->line))
        return;
    bool fresh = p->file == NULL || strcmp(p->file, i->file) != 0;
    p->file = i->file;
    p->line = i->line;
    ink_to(k, 8);
    arrows_pass(k, &p->arrows, index);
    if (fresh) {
        snprintf(path, sizeof path, "%s", i->file);
        ink(k, INK_HEAD, "%s", name_near_path(path));
        ink_line(k);
        ink_to(k, 8);
        arrows_pass(k, &p->arrows, index);
    }
    const char *text = source_line(&p->sources, i->file, i->line);
    ink(k, INK_CYAN, "%5u  ", i->line);
    ink_cut(k, INK_BOLD, text == NULL ? "(the source is not here)" : text, k->width - k->column);
    ink_line(k);
}

static void print_remark(struct page *p, const struct insn *i, u32 from)
{
    struct ink *k = &p->k;
    bool word = i->kind == CODE_CHECK || i->kind == CODE_VECTOR || i->kind == CODE_TRAP;
    if (!word && i->remark == NULL)
        return;
    ink_to(k, k->column < from ? from : k->column + 2);
    if (word)
        ink(k, code_style(i->kind), "%s ", code_kind_word(i->kind));
    bool told = i->target != UINT64_MAX; // as the operand
    if (i->remark != NULL && !told && k->column + 4 < k->width)
        ink_cut(k, i->kind == CODE_CALL ? INK_MAGENTA : INK_DIM, i->remark, k->width - k->column);
}

static void print_insn(struct page *p, u32 index)
{
    const struct insn *i = &p->c->insns[index];
    struct ink *k = &p->k;
    u32 left = 8 + p->arrows.lanes + 3;
    ink(k, INK_DIM, "%7llx ", (unsigned long long)(i->at));
    arrows_draw(k, &p->arrows, index);
    ink_to(k, left);
    ink(k, code_style(i->kind), "%-7s", i->name);
    ink(k, INK_PLAIN, " ");
    // The name says where a call goes; the number does not.
    bool named = i->target != UINT64_MAX && i->remark != NULL;
    u32 remark_at = left + 44;
    if (!named)
        ink_cut(k, INK_PLAIN, i->operands,
                remark_at > k->column + 2 ? remark_at - k->column - 1 : 1);
    else
        ink(k, INK_MAGENTA, "%s", i->remark);
    if (!named || i->kind != CODE_CALL)
        print_remark(p, i, remark_at);
    ink_line(k);
}

void code_print(FILE *out, const struct code *c)
{
    struct page p = {.k = ink_on(out), .c = c};
    p.sources.store = &p.store;
    p.arrows = arrows_of(&p.store, c);
    print_head(&p);
    ink_line(&p.k);
    for (u32 i = 0; i < c->count; i++) {
        print_source(&p, i);
        print_insn(&p, i);
    }
    if (c->cut) {
        ink(&p.k, INK_DIM, "  and more: only the first %u instructions are shown", c->count);
        ink_line(&p.k);
    }
    store_done(&p.store);
}
