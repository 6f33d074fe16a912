// ink.h: a page that knows its width, its column and whether it may use colour.
#pragma once

#include "base/base.h"

#include <stdio.h>

enum style {
    INK_PLAIN,
    INK_BOLD,
    INK_DIM,
    INK_BAD,
    INK_GOOD,
    INK_HEAD,
    INK_BAR,
    INK_WARN,
    // Kinds of things told apart by colour, beside whatever else tells them apart.
    INK_CYAN,
    INK_GREEN,
    INK_BLUE,
    INK_MAGENTA,
    INK_RED,
    INK_YELLOW,
};

struct ink {
    FILE *out;
    bool color;
    bool ascii; // the terminal's character set is not UTF-8: signs are told in ASCII
    u32 width;  // columns, 80 to 100
    u32 column; // where the next character goes
};

// A page on `out`. Colour and width are the terminal's if it is one; NO_COLOR is honoured.
struct ink ink_on(FILE *out);

__attribute__((format(printf, 3, 4))) void ink(struct ink *k, enum style style, const char *fmt,
                                               ...);
// Blanks up to `column`; one if something stands beyond it already.
void ink_to(struct ink *k, u32 column);
void ink_line(struct ink *k);
// A sentence, broken between words; every line starts at the present column.
void ink_wrap(struct ink *k, enum style style, const char *text);
// The same; lines after the first start at column `left`.
void ink_wrap_to(struct ink *k, u32 left, enum style style, const char *text);
// `text` cut to `width` characters, the last one "…" if something is missing.
void ink_cut(struct ink *k, enum style style, const char *text, u32 width);
// A bar of `width` columns for part / whole.
void ink_bar(struct ink *k, u64 part, u64 whole, u32 width);
