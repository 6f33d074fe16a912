// opt.c: one parser and one printer for all option tables.

#include "cli/opt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void say(const struct command *c, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (c == NULL)
        fprintf(stderr, "loam: %s\n", text);
    else
        fprintf(stderr, "loam %s: %s\n", c->name, text);
}

// ---------------------------------------------------------------- near misses

// Edits (insert, delete, change, swap neighbours) from a to b, at most 9. Words are short.
static u32 distance(const char *a, const char *b)
{
    u32 row[3][32];
    size_t n_a = strlen(a), n_b = strlen(b);
    if (n_a > 30 || n_b > 30)
        return 9;
    for (u32 j = 0; j <= n_b; j++)
        row[0][j] = j;
    for (u32 i = 1; i <= n_a; i++) {
        u32 *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (u32 j = 1; j <= n_b; j++) {
            u32 best = up[j - 1] + (a[i - 1] != b[j - 1]);
            best = best < up[j] + 1 ? best : up[j] + 1;
            best = best < now[j - 1] + 1 ? best : now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = best < up2[j - 2] + 1 ? best : up2[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n_a % 3][n_b];
}

// Near enough to suggest: a third of the word may be wrong.
static bool is_near(u32 edits, const char *word)
{
    return edits <= 1 + strlen(word) / 4;
}

static const char *option_near(const struct command *c, const char *name)
{
    const char *best = NULL;
    u32 least = 9;
    for (size_t i = 0; i < c->options_count; i++) {
        u32 d = distance(name, c->options[i].name);
        if (d < least && is_near(d, name)) {
            least = d;
            best = c->options[i].name;
        }
    }
    return best;
}

const char *command_near(const char *name)
{
    const char *best = NULL;
    u32 least = 9;
    for (size_t i = 0; i < commands_count; i++) {
        u32 d = distance(name, commands[i]->name);
        if (d < least && is_near(d, name)) {
            least = d;
            best = commands[i]->name;
        }
    }
    return best;
}

// ---------------------------------------------------------------- parsing

struct parse {
    const struct command *c;
    int argc, at;
    char **argv;
    char *values;
};

static int unknown(const struct parse *p, const char *shown, const char *name)
{
    const char *near = name == NULL ? NULL : option_near(p->c, name);
    if (near != NULL)
        say(p->c, "unknown option '%s'. Did you mean '--%s'? Try 'loam %s -h'.", shown, near,
            p->c->name);
    else
        say(p->c, "unknown option '%s'. Try 'loam %s -h'.", shown, p->c->name);
    return -2;
}

static int set_count(const struct parse *p, const struct option *o, const char *text)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != 0 || errno != 0 || n == 0 || n > UINT32_MAX) {
        say(p->c, "'--%s' wants a number above zero, not '%s'. Try 'loam %s -h'.", o->name, text,
            p->c->name);
        return -2;
    }
    *(u32 *)(p->values + o->offset) = (u32)n;
    return 0;
}

// `text` is the value written with the option, or NULL: then it is the next argument.
static int set(struct parse *p, const struct option *o, const char *text)
{
    void *field = p->values + o->offset;
    if (o->kind == OPT_FLAG) {
        if (text != NULL) {
            say(p->c, "'--%s' takes no value. Try 'loam %s -h'.", o->name, p->c->name);
            return -2;
        }
        *(bool *)field = true;
        return 0;
    }
    if (o->kind == OPT_MAYBE) {
        *(const char **)field = text == NULL ? "" : text;
        return 0;
    }
    if (text == NULL && p->at + 1 < p->argc)
        text = p->argv[++p->at];
    if (text == NULL || (o->kind == OPT_TEXT && *text == 0)) {
        say(p->c, "'--%s' wants a value: %s. Try 'loam %s -h'.", o->name, o->argument, p->c->name);
        return -2;
    }
    if (o->kind == OPT_COUNT)
        return set_count(p, o, text);
    *(const char **)field = text;
    return 0;
}

static int parse_long(struct parse *p)
{
    const char *arg = p->argv[p->at] + 2, *equals = strchr(arg, '=');
    size_t len = equals == NULL ? strlen(arg) : (size_t)(equals - arg);
    if (len == 4 && strncmp(arg, "help", 4) == 0) {
        opt_print_manual(p->c, stdout);
        return -1;
    }
    for (size_t i = 0; i < p->c->options_count; i++) {
        const struct option *o = &p->c->options[i];
        if (strlen(o->name) == len && strncmp(o->name, arg, len) == 0)
            return set(p, o, equals == NULL ? NULL : equals + 1);
    }
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)len, arg);
    return unknown(p, p->argv[p->at], name);
}

// One argument of letters: "-n5", "-ofile", "-h".
static int parse_letters(struct parse *p)
{
    const char *shown = p->argv[p->at];
    for (const char *at = shown + 1; *at != 0; at++) {
        const struct option *o = NULL;
        if (*at == 'h') {
            opt_print_help(p->c, stdout);
            return -1;
        }
        for (size_t i = 0; i < p->c->options_count && o == NULL; i++)
            o = p->c->options[i].letter == *at ? &p->c->options[i] : NULL;
        if (o == NULL)
            return unknown(p, shown, shown + 1);
        const char *value = o->kind != OPT_FLAG && at[1] != 0 ? at + 1 : NULL;
        int r = set(p, o, value);
        if (r < 0 || o->kind != OPT_FLAG)
            return r;
    }
    return 0;
}

int opt_parse(const struct command *c, int argc, char **argv, void *values)
{
    struct parse p = {.c = c, .argc = argc, .at = 1, .argv = argv, .values = values};
    char **operands = calloc((size_t)argc + 1, sizeof *operands);
    int n = 0, r = 0;
    if (operands == NULL)
        die("loam: out of memory", NULL);
    for (; p.at < argc && r == 0; p.at++) {
        const char *arg = argv[p.at];
        bool dashes = strcmp(arg, "--") == 0;
        if (dashes || (c->stops && (arg[0] != '-' || arg[1] == 0))) {
            for (p.at += dashes; p.at < argc; p.at++)
                operands[n++] = argv[p.at];
            break;
        }
        if (arg[0] != '-' || arg[1] == 0)
            operands[n++] = argv[p.at];
        else
            r = arg[1] == '-' ? parse_long(&p) : parse_letters(&p);
    }
    if (r == 0 && n > 0)
        memcpy(argv + argc - n, operands, (size_t)n * sizeof *operands);
    free(operands);
    return r < 0 ? r : n;
}

// ---------------------------------------------------------------- printing

static void print_examples(const struct command *c, FILE *out)
{
    size_t count = 0, width = 0;
    while (count < countof(c->examples) && c->examples[count][0] != NULL) {
        size_t n = strlen(c->examples[count++][0]);
        width = n > width ? n : width;
    }
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-*s   %s\n", (int)width, c->examples[i][0], c->examples[i][1]);
    fputc('\n', out);
}

static void print_options(const struct command *c, FILE *out)
{
    for (size_t i = 0; i < c->options_count; i++) {
        const struct option *o = &c->options[i];
        char left[64], letter[8] = "    ";
        if (o->letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        const char *shape = o->argument == NULL    ? "%s--%s%s"
                            : o->kind == OPT_MAYBE ? "%s--%s[=%s]"
                                                   : "%s--%s %s";
        snprintf(left, sizeof left, shape, letter, o->name, o->argument == NULL ? "" : o->argument);
        fprintf(out, "  %-24s %s\n", left, o->help);
    }
    fprintf(out, "  %-24s %s\n", "-h, --help", "this screen, or the whole manual");
}

void opt_print_help(const struct command *c, FILE *out)
{
    print_examples(c, out);
    fprintf(out, "loam %s: %s\n\nusage: loam %s %s\n\n", c->name, c->summary, c->name, c->synopsis);
    print_options(c, out);
}

// In lines that a terminal of 80 columns holds; two newlines part paragraphs, one is a space.
static void print_paragraphs(const char *s, FILE *out)
{
    size_t column = 0;
    while (*s != 0) {
        size_t space = strspn(s, " \n"), word = strcspn(s + space, " \n");
        if (column > 0 && strncmp(s, "\n\n", 2) == 0) {
            fputs("\n\n", out);
            column = 0;
        } else if (column > 0 && word > 0) {
            bool fits = column + 1 + word < 80;
            fputc(fits ? ' ' : '\n', out);
            column = fits ? column + 1 : 0;
        }
        fwrite(s + space, 1, word, out);
        column += word;
        s += space + word;
    }
    if (column > 0)
        fputc('\n', out);
}

void opt_print_manual(const struct command *c, FILE *out)
{
    opt_print_help(c, out);
    fputc('\n', out);
    print_paragraphs(c->about, out);
}
