// trials.c: rows of a benchmark, to a file and back.

#include "report/trials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char columns[] = "program,mean,allocator,round,user_s,sys_s,wall_s,peak_rss_bytes,"
                              "minor_faults,outcome,figures";
enum { COLUMNS = 11 };

static const char *const mean_words[] = {
    [MEAN_NONE] = "none", [MEAN_TIME] = "time", [MEAN_MEMORY] = "memory", [MEAN_BOTH] = "both"};

const char *trials_mean_word(enum mean mean)
{
    return mean_words[mean];
}

int trials_mean_from(const char *word)
{
    for (size_t i = 0; i < countof(mean_words); i++) {
        if (strcmp(mean_words[i], word) == 0)
            return (int)i;
    }
    return -1;
}

// ---------------------------------------------------------------- names and rows

// Names stand in a CSV file: no commas, no line ends.
static void set_name(char to[TRIALS_NAME], const char *from)
{
    snprintf(to, TRIALS_NAME, "%s", from);
    for (char *c = to; *c != 0; c++) {
        if (*c == ',' || *c == '"' || (unsigned char)*c < ' ')
            *c = ' ';
    }
}

static int find(const char names[][TRIALS_NAME], u32 count, const char *name)
{
    char clean[TRIALS_NAME];
    set_name(clean, name);
    for (u32 i = 0; i < count; i++) {
        if (strcmp(names[i], clean) == 0)
            return (int)i;
    }
    return -1;
}

int trials_program(struct trials *t, const char *name, enum mean mean)
{
    int i = find(t->program, t->programs, name);
    if (i >= 0 || t->programs == TRIALS_NAMES_MAX)
        return i;
    set_name(t->program[t->programs], name);
    t->mean[t->programs] = mean;
    return (int)t->programs++;
}

int trials_find_allocator(const struct trials *t, const char *name)
{
    return find(t->allocator, t->allocators, name);
}

int trials_allocator(struct trials *t, const char *name)
{
    int i = trials_find_allocator(t, name);
    if (i >= 0 || t->allocators == TRIALS_NAMES_MAX)
        return i;
    set_name(t->allocator[t->allocators], name);
    return (int)t->allocators++;
}

void trials_add(struct trials *t, const struct trial *row)
{
    if (t->count == t->room) {
        t->room = t->room == 0 ? 256 : 2 * t->room;
        t->rows = realloc(t->rows, t->room * sizeof *t->rows);
        if (t->rows == NULL)
            die("loam: out of memory", NULL);
    }
    t->rows[t->count++] = *row;
    t->rounds = row->round + 1 > t->rounds ? row->round + 1 : t->rounds;
}

void trials_done(struct trials *t)
{
    free(t->rows);
    *t = (struct trials){.rows = NULL};
}

// ---------------------------------------------------------------- the file

void trials_write_head(const struct trials *t, FILE *out)
{
    fprintf(out, "# %s\n%s\n", t->about, columns);
}

void trials_write_row(const struct trials *t, const struct trial *row, FILE *out)
{
    fprintf(out, "%s,%s,%s,%u,%.6f,%.6f,%.9f,%llu,%llu,%s,%s\n", t->program[row->program],
            trials_mean_word(t->mean[row->program]), t->allocator[row->allocator], row->round,
            row->user, row->sys, row->wall, (unsigned long long)row->peak,
            (unsigned long long)row->faults, row->outcome, row->figures);
}

// Cut a line at its commas. How many fields there were.
static int cut(char *line, char *field[COLUMNS])
{
    int n = 0;
    line[strcspn(line, "\r\n")] = 0;
    while (n < COLUMNS) {
        field[n++] = line;
        char *comma = strchr(line, ',');
        if (comma == NULL)
            return n;
        *comma = 0;
        line = comma + 1;
    }
    return n + 1; // more commas than columns
}

static bool number(const char *text, double *ret_value)
{
    char *end;
    *ret_value = strtod(text, &end);
    return end != text && *end == 0 && *ret_value >= 0 && *ret_value < 1e18;
}

static bool add_line(struct trials *t, char *line)
{
    char *field[COLUMNS];
    double value[6];
    if (cut(line, field) != COLUMNS || trials_mean_from(field[1]) < 0)
        return false;
    for (size_t i = 0; i < countof(value); i++) {
        if (!number(field[3 + i], &value[i]))
            return false;
    }
    int program = trials_program(t, field[0], (enum mean)trials_mean_from(field[1]));
    int allocator = trials_allocator(t, field[2]);
    if (program < 0 || allocator < 0 || value[0] > 1e6)
        return false;
    struct trial row = {.program = (u32)program,
                        .allocator = (u32)allocator,
                        .round = (u32)value[0],
                        .user = value[1],
                        .sys = value[2],
                        .wall = value[3],
                        .peak = (u64)value[4],
                        .faults = (u64)value[5]};
    snprintf(row.outcome, sizeof row.outcome, "%s", field[9]);
    snprintf(row.figures, sizeof row.figures, "%s", field[10]);
    trials_add(t, &row);
    return true;
}

// Rows stand in random order; line 1 ends with the allocators, "name=path" each, in theirs.
static void take_order(struct trials *t)
{
    char list[sizeof t->about], *rest = NULL;
    const char *last = strrchr(t->about, '|');
    snprintf(list, sizeof list, "%s", last == NULL ? "" : last + 1);
    for (char *word = strtok_r(list, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');
        if (equals == NULL)
            continue;
        *equals = 0;
        trials_allocator(t, word);
    }
}

int trials_read(struct trials *t, FILE *in, char *why, size_t why_size)
{
    char line[sizeof t->about];
    size_t number_of_line = 0;
    while (fgets(line, sizeof line, in) != NULL) {
        number_of_line++;
        bool good = true;
        if (number_of_line == 1) {
            good = strncmp(line, "# ", 2) == 0;
            snprintf(t->about, sizeof t->about, "%s", good ? line + 2 : "");
            t->about[strcspn(t->about, "\n")] = 0;
            take_order(t);
        } else if (number_of_line == 2) {
            line[strcspn(line, "\r\n")] = 0;
            good = strcmp(line, columns) == 0;
        } else {
            good = add_line(t, line);
        }
        if (!good) {
            snprintf(why, why_size, "line %zu is none that loam bench writes", number_of_line);
            return -EINVAL;
        }
    }
    if (t->count > 0)
        return 0;
    snprintf(why, why_size, "there are no rows in it");
    return -EINVAL;
}
