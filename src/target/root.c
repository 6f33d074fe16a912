// root.c: loam's heap in another process, found without its help.
#include "target/root.h"

#include "heap/heap.h"
#include "scan/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MAX (16 * MiB) // of one file's data; loam's own is 200 kB
#define STEP     (256 * KiB)

static bool is_library(const struct map *m)
{
    const char *name = strrchr(m->path, '/');
    return name != NULL && strncmp(name, "/libloam.so", 11) == 0;
}

static bool is_data(const struct map *m)
{
    return m->readable && m->writable && !m->shared && m->inode != 0 && *m->path == '/';
}

// A root that has a heap: a copy of loam that nobody calls has an empty one.
static bool is_root(struct target *t, u64 at)
{
    struct root r;
    return tables_root(t, at, &r) == 0 && r.pages != 0;
}

static u64 look_in(struct target *t, const struct map *m, u64 *buffer, int *ret_error)
{
    u64 end = m->start + size_min(m->end - m->start, LOOK_MAX);
    for (u64 at = m->start; at < end; at += STEP) {
        size_t size = size_min(STEP, end - at);
        memset(buffer, 0, size);
        *ret_error = target_read(t, at, buffer, size);
        if (*ret_error < 0)
            return 0;
        for (size_t i = 0; i < size / 8; i++)
            if (buffer[i] == HEAP_ROOT_MAGIC && is_root(t, at + i * 8))
                return at + i * 8;
    }
    return 0;
}

u64 root_find(struct target *t, const struct maps *maps, int *ret_error)
{
    u64 root = 0, *buffer = malloc(STEP);
    int e = buffer == NULL ? -ENOMEM : 0;
    for (int library = 1; e == 0 && library >= 0; library--)
        for (size_t i = 0; root == 0 && e == 0 && i < maps->count; i++)
            if (is_data(&maps->map[i]) && is_library(&maps->map[i]) == library)
                root = look_in(t, &maps->map[i], buffer, &e);
    free(buffer);
    *ret_error = e;
    return root;
}
