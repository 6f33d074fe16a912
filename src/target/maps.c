// maps.c: the mappings of a process, as /proc/PID/maps tells them.
#include "target/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int maps_read(int fd, char **ret_text)
{
    size_t used = 0, room = 64 * KiB;
    char *text = malloc(room);
    for (;;) {
        ssize_t n = text != NULL ? read(fd, text + used, room - used - 1) : -1;
        if (n <= 0) {
            int e = text == NULL ? -ENOMEM : n < 0 ? -errno : 0;
            if (e == 0) {
                text[used] = 0;
                *ret_text = text;
            } else {
                free(text);
            }
            return e;
        }
        used += (size_t)n;
        if (used + 1 < room)
            continue;
        char *more = realloc(text, room *= 2);
        if (more == NULL)
            free(text);
        text = more;
    }
}

bool maps_parse(char *line, struct map *m)
{
    unsigned long start, end, offset, inode;
    char flags[5];
    int at = 0;
    if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %n", &start, &end, flags, &offset, &m->major,
               &m->minor, &inode, &at) < 7)
        return false;
    m->start = start;
    m->end = end;
    m->offset = offset;
    m->inode = inode;
    m->readable = flags[0] == 'r';
    m->writable = flags[1] == 'w';
    m->executable = flags[2] == 'x';
    m->shared = flags[3] == 's';
    m->path = line + at;
    return start < end;
}

static int parse_all(struct maps *m)
{
    size_t lines = 0;
    for (const char *p = m->text; *p != 0; p++)
        lines += *p == '\n';
    m->map = calloc(lines + 1, sizeof *m->map);
    if (m->map == NULL)
        return -ENOMEM;
    for (char *line = m->text, *next; line != NULL && *line != 0; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = 0;
        if (m->count < lines && maps_parse(line, &m->map[m->count]))
            m->count++;
    }
    return m->count != 0 ? 0 : -ESRCH;
}

int maps_load(struct maps *m, pid_t tid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", tid);
    *m = (struct maps){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    int e = maps_read(fd, &m->text);
    close(fd);
    if (e == 0)
        e = parse_all(m);
    if (e < 0)
        maps_done(m);
    return e;
}

void maps_done(struct maps *m)
{
    free(m->map);
    free(m->text);
    *m = (struct maps){0};
}

const struct map *maps_find(const struct maps *m, u64 addr)
{
    size_t low = 0, high = m->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (m->map[mid].end <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    return low < m->count && m->map[low].start <= addr ? &m->map[low] : NULL;
}

bool maps_anonymous(const struct map *m)
{
    return !m->shared && m->inode == 0 && (m->path[0] == 0 || strncmp(m->path, "[anon:", 6) == 0);
}

bool maps_same_file(const struct map *a, const struct map *b)
{
    return a->inode != 0 && a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}
