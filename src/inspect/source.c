// source.c: whole files, cut into lines.

#include "inspect/source.h"

#include "report/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BYTES_MAX ((size_t)16 * MiB)

struct source_file {
    const char *path;
    char **lines;
    u32 count;
    struct source_file *next;
};

static char *read_whole(struct store *store, const char *path)
{
    struct stat st;
    FILE *in = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "re") : NULL;
    if (in == NULL)
        return NULL;
    size_t size = st.st_size > 0 && (size_t)st.st_size < BYTES_MAX ? (size_t)st.st_size : 0;
    char *text = store_push(store, size + 1);
    text[fread(text, 1, size, in)] = 0;
    fclose(in);
    return text;
}

static void cut(struct source_file *f, struct store *store, char *text)
{
    u32 count = 1;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    f->lines = store_push(store, count * sizeof *f->lines);
    for (char *at = text; at != NULL; f->count++) {
        char *end = strchr(at, '\n');
        if (end != NULL)
            *end++ = 0;
        at[strcspn(at, "\r")] = 0;
        for (char *c = at; *c != 0; c++)
            *c = *c == '\t' ? ' ' : *c;
        f->lines[f->count] = at;
        at = end;
    }
}

static struct source_file *open_file(struct sources *s, const char *path)
{
    for (struct source_file *f = s->files; f != NULL; f = f->next) {
        if (strcmp(f->path, path) == 0)
            return f;
    }
    struct source_file *f = store_push(s->store, sizeof *f);
    f->path = path;
    f->next = s->files;
    s->files = f;
    char *text = read_whole(s->store, path);
    if (text != NULL)
        cut(f, s->store, text);
    return f;
}

const char *source_line(struct sources *s, const char *path, u32 line)
{
    if (path == NULL)
        return NULL;
    struct source_file *f = open_file(s, path);
    if (line == 0 || line > f->count)
        return NULL;
    char *text = f->lines[line - 1];
    utf8_clean(text);
    return text + strspn(text, " ");
}
