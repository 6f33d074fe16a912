// output.c: open, close, and the one sentence when either fails.

#include "cli/output.h"

#include <errno.h>
#include <string.h>

static int said(const struct command *c, const char *path)
{
    if (strcmp(path, "-") == 0)
        say(c, "stdout is closed or full.");
    else
        say(c, "%s could not be written: %s.", path, strerror(errno));
    return EXIT_LOAM;
}

FILE *output_open(const struct command *c, const char *path)
{
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (out == NULL)
        said(c, path);
    return out;
}

int output_close(const struct command *c, FILE *out, const char *path, bool whole)
{
    int error = errno;
    whole = whole && fflush(out) == 0 && !ferror(out);
    error = whole ? 0 : error != 0 ? error : errno;
    if (out != stdout && fclose(out) != 0 && whole)
        return said(c, path);
    errno = error;
    return whole ? 0 : said(c, path);
}

int output_json(json_t *o)
{
    int r = o != NULL && json_dumpf(o, stdout, JSON_INDENT(1)) == 0 ? 0 : EXIT_LOAM;
    putchar('\n');
    json_decref(o);
    return r;
}
