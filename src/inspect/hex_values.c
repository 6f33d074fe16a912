// hex_values.c: bytes by their type: one line a member, pointers followed.

#include "inspect/hex.h"

#include "inspect/value.h"
#include "report/ink.h"
#include "report/utf8.h"
#include "report/words.h"

#include <string.h>

static enum style style_of(const struct field *f, const char *value)
{
    if (strcmp(value, "0") == 0 || strcmp(value, "NULL") == 0 || strcmp(value, "false") == 0)
        return INK_DIM;
    switch (f->kind) {
    case FIELD_POINTER:
        return INK_CYAN;
    case FIELD_TEXT:
    case FIELD_CHAR:
        return INK_GREEN;
    case FIELD_ENUM:
    case FIELD_BOOL:
        return INK_YELLOW;
    case FIELD_SIGNED:
    case FIELD_UNSIGNED:
    case FIELD_FLOAT:
    case FIELD_BYTES:
    case FIELD_OPENS:
    case FIELD_CLOSES:
        break;
    }
    return INK_BOLD;
}

static size_t target_width(const struct hex_pointer *p)
{
    return 4 + utf8_width(p->what) + (p->text == NULL ? 0 : 1 + utf8_width(p->text));
}

// What a pointer points to; one that points nowhere is worth a warning. What does not fit behind
// the value has the next line, from `left`: a size or a text that is cut says nothing.
static void print_target(struct ink *k, const struct hex *h, const char *value,
                         const struct hex_pointer *p, u32 left)
{
    bool follows = h->origin->kind == ORIGIN_PROCESS || h->origin->kind == ORIGIN_CORE;
    if (p == NULL && follows && strcmp(value, "NULL") != 0)
        ink(k, INK_WARN, "  points to nothing");
    if (p == NULL)
        return;
    if (k->column + target_width(p) > k->width) {
        ink_line(k);
        ink_to(k, left);
    }
    ink(k, INK_DIM, "  → ");
    ink_cut(k, INK_CYAN, p->what, k->width > k->column + 2 ? k->width - k->column : 2);
    if (p->text != NULL && k->column + 8 < k->width) {
        ink(k, INK_PLAIN, " ");
        ink_cut(k, INK_GREEN, p->text, k->width - k->column);
    }
}

static void print_field(struct ink *k, const struct hex *h, size_t base, const struct field *f)
{
    char value[VALUE_SIZE];
    const struct hex_pointer *pointer;
    value_of(h, base, f, value, &pointer);
    u32 left = 10 + 4 * f->depth;
    if (f->kind == FIELD_CLOSES) {
        ink_to(k, left);
        ink(k, INK_DIM, "}");
        ink_line(k);
        return;
    }
    ink(k, INK_DIM, "%7llu", (unsigned long long)(f->at / 8));
    ink_to(k, left);
    if (f->kind == FIELD_OPENS) {
        size_t len = strlen(f->declaration); // an unnamed one ends with "{...}"
        bool unnamed = len > 5 && strcmp(f->declaration + len - 5, "{...}") == 0;
        ink(k, INK_PLAIN, "%.*s", (int)(unnamed ? len - 6 : len), f->declaration);
        ink(k, INK_DIM, " {");
    } else {
        ink_cut(k, INK_PLAIN, f->declaration, 40);
        ink_to(k, k->column < 40 ? 40 : k->column + 1);
        ink(k, INK_DIM, "= ");
        ink_cut(k, style_of(f, value), value, k->width > k->column ? k->width - k->column : 1);
        if (f->kind == FIELD_POINTER && f->repeat == 1)
            print_target(k, h, value, pointer, left);
    }
    ink_line(k);
}

static void print_title(struct ink *k, const struct hex *h, size_t base)
{
    char n[WORDS_SIZE];
    const char *kind, *what = origin_what(h->origin, h->at + base, &kind);
    ink(k, INK_BOLD, "%s", h->fields->name);
    ink(k, INK_PLAIN, " · %s at 0x%llx in %s", words_of(n, h->fields->size, "byte"),
        (unsigned long long)(h->at + base), h->origin->name);
    if (what != NULL)
        ink(k, INK_CYAN, " · %s", what);
    ink_line(k);
}

// A plain type: its offset is all that tells one from the next.
static void print_plain(struct ink *k, const struct hex *h, size_t base)
{
    char value[VALUE_SIZE];
    const struct hex_pointer *pointer;
    const struct field *f = &h->fields->items[0];
    value_of(h, base, f, value, &pointer);
    ink(k, INK_DIM, "%7zu   ", base);
    ink(k, style_of(f, value), "%s", value);
    if (f->kind == FIELD_POINTER)
        print_target(k, h, value, pointer, 10);
    ink_line(k);
}

void hex_values(FILE *out, const struct hex *h)
{
    struct ink k = ink_on(out);
    const struct fields *f = h->fields;
    for (size_t base = 0; base < h->size && base + f->size <= h->asked; base += f->size) {
        if (base > 0 && !f->plain)
            ink_line(&k);
        if (base == 0 || !f->plain)
            print_title(&k, h, base);
        if (f->plain)
            print_plain(&k, h, base);
        for (u32 i = 0; i < f->count && !f->plain; i++)
            print_field(&k, h, base, &f->items[i]);
    }
}
