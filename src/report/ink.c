// ink.c: styles, columns, and the ASCII forms of the few signs that reports use.

#include "report/ink.h"

#include "report/utf8.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *const style_codes[] = {
    [INK_PLAIN] = "",         [INK_BOLD] = "\033[1m",    [INK_DIM] = "\033[2m",
    [INK_BAD] = "\033[1;31m", [INK_GOOD] = "\033[1;32m", [INK_HEAD] = "\033[1;36m",
    [INK_BAR] = "\033[36m",   [INK_WARN] = "\033[1;33m", [INK_CYAN] = "\033[36m",
    [INK_GREEN] = "\033[32m", [INK_BLUE] = "\033[34m",   [INK_MAGENTA] = "\033[35m",
    [INK_RED] = "\033[31m",   [INK_YELLOW] = "\033[33m",
};

// Each sign, and the one character that stands for it in ASCII.
static const char signs[] = "·-….━=╸=─-±~│|┌+┐+└+┘+├+┤+";
static const char more_signs[] = "▶>◀<→>╌-✓+✗x•*█#░.▒:";

// Where nobody knows how wide it will be shown.
#define WIDTH 80

static u32 terminal_width(int fd)
{
    struct winsize w = {0};
    if (ioctl(fd, TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
        return WIDTH;
    return w.ws_col < 80 ? 80 : w.ws_col > 100 ? 100 : w.ws_col;
}

struct ink ink_on(FILE *out)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool terminal = isatty(fileno(out));
    setlocale(LC_CTYPE, "");
    return (struct ink){
        .out = out,
        .color = terminal && (no_color == NULL || *no_color == 0) &&
                 (term == NULL || strcmp(term, "dumb") != 0),
        .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
        .width = terminal ? terminal_width(fileno(out)) : WIDTH,
    };
}

// The character for the sign at `at` in one of the lists, or 0.
static char ascii_in(const char *list, const char *at, size_t len)
{
    for (size_t known; *list != 0; list += known + 1) {
        known = utf8_bytes(list, 1);
        if (known == len && memcmp(list, at, len) == 0)
            return list[known];
    }
    return 0;
}

static void put_sign(struct ink *k, const char *at, size_t len)
{
    char c = ascii_in(signs, at, len);
    if (c == 0)
        c = ascii_in(more_signs, at, len);
    fputc(c == 0 ? '?' : c, k->out);
}

static void put_ascii(struct ink *k, const char *text)
{
    while (*text != 0) {
        size_t len = utf8_bytes(text, 1);
        if (len == 1)
            fputc(*text, k->out);
        else
            put_sign(k, text, len);
        text += len;
    }
}

static void put(struct ink *k, enum style style, const char *text)
{
    bool dressed = k->color && style != INK_PLAIN && *text != 0;
    if (dressed)
        fputs(style_codes[style], k->out);
    if (k->ascii)
        put_ascii(k, text);
    else
        fputs(text, k->out);
    if (dressed)
        fputs("\033[0m", k->out);
    k->column += (u32)utf8_width(text);
}

void ink(struct ink *k, enum style style, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0)
        die("loam: no memory for the report", NULL);
    put(k, style, text);
    free(text);
}

void ink_to(struct ink *k, u32 column)
{
    u32 blanks = column > k->column ? column - k->column : column < k->column;
    fprintf(k->out, "%*s", (int)blanks, "");
    k->column += blanks;
}

void ink_line(struct ink *k)
{
    fputc('\n', k->out);
    k->column = 0;
}

void ink_wrap_to(struct ink *k, u32 left, enum style style, const char *text)
{
    u32 start = k->column;
    while (*text != 0) {
        size_t len = strcspn(text, " ");
        char *word = strndup(text, len);
        if (word == NULL)
            die("loam: no memory for the report", NULL);
        if (k->column > start && k->column + 1 + utf8_width(word) > k->width) {
            ink_line(k);
            ink_to(k, left);
            start = left;
        } else if (k->column > start) {
            put(k, INK_PLAIN, " ");
        }
        put(k, style, word);
        free(word);
        text += len + strspn(text + len, " ");
    }
    ink_line(k);
}

void ink_wrap(struct ink *k, enum style style, const char *text)
{
    ink_wrap_to(k, k->column, style, text);
}

void ink_cut(struct ink *k, enum style style, const char *text, u32 width)
{
    if (utf8_width(text) <= width) {
        put(k, style, text);
        return;
    }
    ink(k, style, "%.*s…", (int)utf8_bytes(text, width > 0 ? width - 1 : 0), text);
}

void ink_bar(struct ink *k, u64 part, u64 whole, u32 width)
{
    double share = whole == 0 ? 0 : (double)part / (double)whole;
    u32 halves = (u32)((share > 1 ? 1 : share) * 2 * width + 0.5);
    for (u32 i = 0; i < width; i++) {
        bool inked = 2 * i < halves;
        put(k, inked ? INK_BAR : INK_DIM, 2 * i + 1 < halves ? "━" : inked ? "╸" : "─");
    }
}
