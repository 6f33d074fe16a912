// mem.c: what a process takes: one reading of the kernel's counters, and mappings of one name
// together.
#include "inspect/mem.h"

#include "os/os.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// In place: the symbols keep the address of the store that they live in.
int mem_load(struct mem *m, pid_t pid)
{
    *m = (struct mem){.sums.taken_ns = os_monotonic_ns()};
    int e = status_load(&m->sums.status, pid);
    if (e == 0 && !m->sums.status.has_memory)
        e = -ENODATA;
    if (e == 0)
        e = space_load(&m->space, pid, SPACE_BLOCKS);
    if (e < 0)
        return e;
    for (size_t i = 0; i < m->space.smaps.count; i++)
        smaps_add(&m->sums.total, &m->space.smaps.smap[i]);
    account_make(&m->account, &m->space);
    e = pins_load(&m->pins, &m->space);
    if (e == 0)
        e = blame_load(&m->blame, &m->space.recorded);
    if (e < 0)
        mem_done(m);
    return e;
}

void mem_done(struct mem *m)
{
    blame_done(&m->blame);
    pins_done(&m->pins);
    space_done(&m->space);
    *m = (struct mem){0};
}

const char *mem_name(const struct map *m)
{
    if (*m->path == 0)
        return m->shared ? "shared, anonymous" : "anonymous";
    const char *name = *m->path == '/' ? strrchr(m->path, '/') : NULL;
    return name != NULL && name[1] != 0 ? name + 1 : m->path;
}

// ---------------------------------------------------------------- groups

static int by_name(const void *a, const void *b)
{
    const struct mem_group *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int by_weight(const void *a, const void *b)
{
    const struct mem_group *x = a, *y = b;
    if (x->sum.pss + x->sum.swap_pss != y->sum.pss + y->sum.swap_pss)
        return x->sum.pss + x->sum.swap_pss < y->sum.pss + y->sum.swap_pss ? 1 : -1;
    if (x->sum.rss != y->sum.rss)
        return x->sum.rss < y->sum.rss ? 1 : -1;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return strcmp(x->name, y->name);
}

static struct mem_group group_of(const struct smap *s)
{
    return (struct mem_group){
        .name = mem_name(&s->map),
        .sum = *s,
        .size = s->map.end - s->map.start,
        .count = 1,
    };
}

static void join(struct mem_groups *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->count; i++) {
        if (kept == 0 || strcmp(g->group[kept - 1].name, g->group[i].name) != 0) {
            g->group[kept++] = g->group[i];
            continue;
        }
        smaps_add(&g->group[kept - 1].sum, &g->group[i].sum);
        g->group[kept - 1].size += g->group[i].size;
        g->group[kept - 1].count++;
    }
    g->count = kept;
}

int mem_groups(const struct mem *m, bool each, struct mem_groups *ret)
{
    struct mem_groups g = {calloc(m->space.smaps.count + 1, sizeof *g.group), m->space.smaps.count};
    if (g.group == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < g.count; i++)
        g.group[i] = group_of(&m->space.smaps.smap[i]);
    if (!each) {
        qsort(g.group, g.count, sizeof *g.group, by_name);
        join(&g);
        qsort(g.group, g.count, sizeof *g.group, by_weight);
    }
    *ret = g;
    return 0;
}

void mem_groups_done(struct mem_groups *g)
{
    free(g->group);
    *g = (struct mem_groups){0};
}
