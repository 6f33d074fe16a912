// argv.c: texts of a recording, which may hold anything, as a person can read them.

#include "report/argv.h"

#include "report/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *argv_text(struct store *store, const char *text, size_t size)
{
    char *copy = store_text(store, text, size);
    utf8_clean(copy);
    return copy;
}

static bool wants_quotes(const char *arg)
{
    return *arg == 0 || strpbrk(arg, " \t\n\"'$\\;&|<>(){}*?~`#") != NULL;
}

static void put_argument(FILE *f, const char *arg)
{
    if (!wants_quotes(arg)) {
        fputs(arg, f);
        return;
    }
    fputc('\'', f);
    for (; *arg != 0; arg++)
        fputs(*arg == '\'' ? "'\\''" : (char[]){*arg, 0}, f);
    fputc('\'', f);
}

char *argv_joined(struct store *store, const char *text, size_t size)
{
    char *joined = NULL;
    size_t joined_size = 0;
    FILE *f = open_memstream(&joined, &joined_size);
    if (f == NULL)
        die("loam: no memory for the report", NULL);
    for (size_t at = 0; at < size;) {
        char *arg = strndup(text + at, size - at);
        if (at > 0)
            fputc(' ', f);
        put_argument(f, arg == NULL ? "" : arg);
        at += arg == NULL ? size : strlen(arg) + 1;
        free(arg);
    }
    fclose(f);
    char *copy = argv_text(store, joined, joined_size);
    free(joined);
    return copy;
}
