// jit.c: read a map whole, sort its lines by address, and take their names apart when asked.

#include "report/jit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_SIZE_MAX (256 * MiB)
#define OVERLAPS     16 // code that was thrown away may lie around what stands there now

struct entry {
    u64 start, size;
    u32 order; // in the file: the later one of two with one address is what was there last
    u32 name_size;
    const char *name;
};

struct jit {
    char *text;
    struct entry *entries;
    size_t count;
};

// ---------------------------------------------------------------- which file

bool jit_is_map(const char *path)
{
    unsigned pid;
    int end = 0;
    return sscanf(path, "/tmp/perf-%u.map%n", &pid, &end) == 1 && end > 0 && path[end] == 0;
}

static bool to_be_believed(const struct stat *st)
{
    return S_ISREG(st->st_mode) && (st->st_uid == geteuid() || st->st_uid == 0) &&
           st->st_size > 0 && (u64)st->st_size <= MAP_SIZE_MAX;
}

bool jit_path(char *out, size_t size, u32 pid, u64 started_ns)
{
    struct stat st;
    snprintf(out, size, "/tmp/perf-%u.map", pid);
    return lstat(out, &st) == 0 && to_be_believed(&st) &&
           (u64)st.st_mtim.tv_sec >= started_ns / 1000000000;
}

// ---------------------------------------------------------------- reading

static char *read_whole(const char *path, size_t *ret_size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    char *text = NULL;
    size_t size = 0;
    if (fstat(fd, &st) == 0 && to_be_believed(&st))
        text = malloc((size_t)st.st_size + 1);
    while (text != NULL && size < (size_t)st.st_size) {
        ssize_t n = read(fd, text + size, (size_t)st.st_size - size);
        if (n <= 0)
            break;
        size += (size_t)n;
    }
    close(fd);
    if (text != NULL)
        text[size] = 0;
    *ret_size = size;
    return text;
}

static void read_line(struct jit *j, char *line, size_t size)
{
    char *at;
    u64 start = strtoull(line, &at, 16);
    if (*at != ' ')
        return;
    u64 length = strtoull(at, &at, 16);
    if (*at != ' ' || at[1] == 0 || length == 0)
        return;
    at++;
    j->entries[j->count] = (struct entry){.start = start,
                                          .size = length,
                                          .order = (u32)j->count,
                                          .name_size = (u32)(size - (size_t)(at - line)),
                                          .name = at};
    j->count++;
}

static int by_start(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static void read_lines(struct jit *j, size_t size)
{
    size_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += j->text[i] == '\n';
    j->entries = calloc(lines, sizeof *j->entries);
    if (j->entries == NULL)
        die("loam: no memory for the report", NULL);
    for (char *line = j->text, *end; line < j->text + size; line = end + 1) {
        end = memchr(line, '\n', (size_t)(j->text + size - line));
        end = end == NULL ? j->text + size : end;
        *end = 0;
        read_line(j, line, (size_t)(end - line));
    }
    qsort(j->entries, j->count, sizeof *j->entries, by_start);
}

struct jit *jit_open(const char *path)
{
    size_t size;
    char *text = read_whole(path, &size);
    if (text == NULL)
        return NULL;
    struct jit *j = calloc(1, sizeof *j);
    if (j == NULL)
        die("loam: no memory for the report", NULL);
    j->text = text;
    read_lines(j, size);
    return j;
}

struct jit *jit_free(struct jit *j)
{
    if (j != NULL) {
        free(j->entries);
        free(j->text);
        free(j);
    }
    return NULL;
}

// ---------------------------------------------------------------- names

// "py::name:/path/file.py", as CPython writes it.
static void python_name(const char *name, size_t size, struct jit_name *out)
{
    const char *colon = memrchr(name, ':', size);
    out->function = name;
    out->function_size = colon == NULL ? size : (size_t)(colon - name);
    if (colon != NULL && colon + 1 < name + size) {
        out->file = colon + 1;
        out->file_size = size - out->function_size - 1;
    }
}

// The number behind the last colon, which is cut off; -1 if there is none.
static long cut_number(const char *text, size_t *size)
{
    size_t at = *size;
    long n = 0, unit = 1;
    while (at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9' && unit < 1000000000) {
        n += (text[--at] - '0') * unit;
        unit *= 10;
    }
    if (at == *size || at == 0 || text[at - 1] != ':')
        return -1;
    *size = at - 1;
    return n;
}

// "name file:line:column", as V8 writes it behind what kind of code it is.
static void script_name(const char *name, size_t size, struct jit_name *out)
{
    const char *blank = memrchr(name, ' ', size);
    out->function = name;
    out->function_size = size;
    if (blank == NULL)
        return;
    size_t file_size = size - (size_t)(blank + 1 - name);
    long column = cut_number(blank + 1, &file_size), line = -1;
    if (column >= 0)
        line = cut_number(blank + 1, &file_size);
    if (line < 0)
        return;
    out->function_size = (size_t)(blank - name);
    out->file = blank + 1;
    out->file_size = file_size;
    out->line = (u32)line;
    if (out->function_size == 0) {
        out->function = "(anonymous)";
        out->function_size = strlen(out->function);
    }
}

static void take_apart(const char *name, size_t size, struct jit_name *out)
{
    static const char *const kinds[] = {
        "JS:", "LazyCompile:", "Function:", "Script:", "Eval:", "InterpretedFunction:"};
    *out = (struct jit_name){.function = name, .function_size = size};
    if (size > 4 && memcmp(name, "py::", 4) == 0) {
        python_name(name + 4, size - 4, out);
        return;
    }
    for (size_t i = 0; i < countof(kinds); i++) {
        size_t len = strlen(kinds[i]);
        if (size <= len || memcmp(name, kinds[i], len) != 0)
            continue;
        len += strchr("*~^+", name[len]) != NULL; // how far it was optimised
        script_name(name + len, size - len, out);
        return;
    }
}

bool jit_find(const struct jit *j, u64 address, struct jit_name *ret)
{
    size_t low = 0, high = j->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (j->entries[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i-- > 0 && low - i <= OVERLAPS;) {
        const struct entry *e = &j->entries[i];
        if (address - e->start < e->size) {
            take_apart(e->name, e->name_size, ret);
            return true;
        }
    }
    return false;
}
