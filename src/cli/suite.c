// suite.c: one line of the file is one program.

#include "cli/suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// Does one of the comma-separated words equal `name`, or, with `prefix`, begin it?
static bool is_listed(const char *list, const char *name, bool prefix)
{
    for (const char *at = list; *at != 0;) {
        size_t n = strcspn(at, ",");
        if (strncmp(at, name, n) == 0 && (prefix || name[n] == 0) && n > 0)
            return true;
        at += n + (at[n] == ',');
    }
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

// Command and arguments of `p`, from the rest of a line. false: there are too many.
static bool set_command(struct suite_program *p, const char *dir, char *first, char **rest)
{
    u32 n = 0;
    size_t used = 0;
    snprintf(p->command, sizeof p->command, "%s/%s", dir, first);
    p->is_script = ends_with(first, ".sh");
    if (p->is_script)
        p->argv[n++] = (char *)"sh";
    p->argv[n++] = p->command;
    if (p->is_script)
        p->argv[n++] = (char *)"run";
    for (char *word; (word = strtok_r(NULL, " \t\n", rest)) != NULL;) {
        size_t len = strlen(word) + 1;
        if (n + 1 >= SUITE_WORDS_MAX || used + len > sizeof p->words)
            return false;
        p->argv[n++] = memcpy(p->words + used, word, len);
        used += len;
    }
    p->argv[n] = NULL;
    return true;
}

// 0; -1: the line is wrong.
static int add_line(struct suite *s, const char *dir, char *line, const char *suite,
                    const char *only)
{
    char *rest = NULL, *name = strtok_r(line, " \t\n", &rest);
    char *suites = strtok_r(NULL, " \t\n", &rest), *mean = strtok_r(NULL, " \t\n", &rest);
    char *command = strtok_r(NULL, " \t\n", &rest);
    if (name == NULL || *name == '#')
        return 0;
    if (command == NULL || trials_mean_from(mean) < 0 || s->count == SUITE_PROGRAMS_MAX)
        return -1;
    if (!is_listed(suites, suite, false) || (only != NULL && !is_listed(only, name, true)))
        return 0;
    struct suite_program *p = &s->program[s->count++];
    snprintf(p->name, sizeof p->name, "%s", name);
    p->mean = (enum mean)trials_mean_from(mean);
    return set_command(p, dir, command, &rest) ? 0 : -1;
}

int suite_read(struct suite *s, const char *dir, const char *name, const char *only, char *why,
               size_t why_size)
{
    char path[PATH_MAX], line[1024];
    int r = 0;
    s->count = 0;
    snprintf(path, sizeof path, "%s/programs", dir);
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        snprintf(why, why_size, "%s cannot be read: %s; `make bench-build` makes it", path,
                 strerror(errno));
        return -1;
    }
    for (u32 n = 1; r == 0 && fgets(line, sizeof line, f) != NULL; n++) {
        r = add_line(s, dir, line, name, only);
        if (r != 0)
            snprintf(why, why_size, "%s: line %u is not: name suites mean command", path, n);
    }
    fclose(f);
    if (r == 0 && s->count == 0) {
        snprintf(why, why_size, "%s has no programs in suite '%s'%s%s", path, name,
                 only == NULL ? "" : " named ", only == NULL ? "" : only);
        r = -1;
    }
    return r;
}
