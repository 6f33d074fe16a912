// map.c: an address space read, and summed by owner.
#include "inspect/map.h"

#include "report/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *last_part(const char *path)
{
    const char *name = *path == '/' ? strrchr(path, '/') : NULL;
    return name != NULL && name[1] != 0 ? name + 1 : path;
}

// What an owner is called when there is no name: told by its kind.
static const char *const kind_labels[SPACE_KINDS] = {
    [SPACE_HEAP] = "loam's heap",           [SPACE_TABLES] = "loam's tables",
    [SPACE_RECORDING] = "loam's recording", [SPACE_BRK] = "brk heap",
    [SPACE_ARENA] = "malloc arena",         [SPACE_STACK] = "stack",
    [SPACE_TASKS] = "stacks of tasks",      [SPACE_PROGRAM] = "the program",
    [SPACE_LIBRARY] = "a library",          [SPACE_FILE] = "a file",
    [SPACE_SHARED] = "shared memory",       [SPACE_ANONYMOUS] = "anonymous",
    [SPACE_RESERVED] = "no access",         [SPACE_KERNEL] = "kernel",
};

// "[anon:name]" is the name that the program gave by prctl.
static void label_anonymous(char out[MAP_LABEL], const char *name)
{
    size_t n = strlen(name);
    if (n > 7)
        snprintf(out, MAP_LABEL, "anonymous, %.*s", (int)(n - 7), name + 6);
    else
        snprintf(out, MAP_LABEL, "anonymous");
}

// "/memfd:name (deleted)", "/dev/zero (deleted)", "/SYSV00000000 (deleted)".
static void label_shared(char out[MAP_LABEL], const char *name)
{
    if (strncmp(name, "/memfd:", 7) == 0)
        snprintf(out, MAP_LABEL, "memfd %.*s", (int)size_min(strcspn(name + 7, " "), 100),
                 name + 7);
    else
        snprintf(out, MAP_LABEL, "shared memory");
}

const char *map_label(char out[MAP_LABEL], enum space_kind kind, const char *name)
{
    if (kind == SPACE_RECORDING || *name == 0)
        snprintf(out, MAP_LABEL, "%s", kind_labels[kind]);
    else if (kind == SPACE_STACK)
        snprintf(out, MAP_LABEL, "stack of %.100s", name);
    else if (kind == SPACE_SHARED && strncmp(name, "/dev/shm/", 9) != 0)
        label_shared(out, name);
    else if (kind == SPACE_ANONYMOUS)
        label_anonymous(out, name);
    else
        snprintf(out, MAP_LABEL, "%.120s", last_part(name));
    utf8_clean(out);
    return out;
}

// ---------------------------------------------------------------- owners

// All stacks are one owner, all of the kernel's mappings another; files by their whole path.
static const char *owner_name(const struct space_part *p)
{
    return p->kind == SPACE_STACK || p->kind == SPACE_KERNEL || p->kind == SPACE_RESERVED ? ""
                                                                                          : p->name;
}

static int by_identity(const void *a, const void *b)
{
    const struct map_owner *x = a, *y = b;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

static int by_rss(const void *a, const void *b)
{
    const struct map_owner *x = a, *y = b;
    u64 of_x = x->rss + x->swap, of_y = y->rss + y->swap;
    if (of_x != of_y)
        return of_x < of_y ? 1 : -1;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return by_identity(a, b);
}

static void add_owner(struct map_owner *a, const struct map_owner *b)
{
    a->size += b->size;
    a->rss += b->rss;
    a->swap += b->swap;
    a->parts += b->parts;
    for (int i = 0; i < RES_COUNT; i++)
        a->by[i] += b->by[i];
}

static struct map_owner owner_of(const struct space_part *p)
{
    struct map_owner o = {
        .kind = p->kind,
        .name = owner_name(p),
        .size = p->end - p->start,
        .rss = space_resident(p),
        .swap = p->by[RES_SWAPPED],
        .parts = 1,
    };
    memcpy(o.by, p->by, sizeof o.by);
    return o;
}

static int make_owners(struct map_view *m)
{
    const struct space *s = &m->space;
    m->owner = calloc(s->part_count + 1, sizeof *m->owner);
    if (m->owner == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < s->part_count; i++)
        m->owner[i] = owner_of(&s->part[i]);
    qsort(m->owner, s->part_count, sizeof *m->owner, by_identity);
    for (size_t i = 0; i < s->part_count; i++) {
        struct map_owner *last = m->owner_count != 0 ? &m->owner[m->owner_count - 1] : NULL;
        if (last != NULL && by_identity(last, &m->owner[i]) == 0)
            add_owner(last, &m->owner[i]);
        else
            m->owner[m->owner_count++] = m->owner[i];
    }
    qsort(m->owner, m->owner_count, sizeof *m->owner, by_rss);
    return 0;
}

static void make_sums(struct map_view *m)
{
    struct map_owner all = {0};
    for (size_t i = 0; i < m->owner_count; i++) {
        add_owner(&all, &m->owner[i]);
        if (m->owner[i].kind == SPACE_RESERVED)
            m->reserved += m->owner[i].size;
    }
    m->rss = all.rss;
    m->swap = all.swap;
    m->size = all.size - m->reserved;
    memcpy(m->by, all.by, sizeof m->by);
}

// ---------------------------------------------------------------- loading

static int view(struct map_view *m, const struct map_options *o)
{
    int e = o->all || o->pages ? sections_load(&m->sections, &m->space) : 0;
    if (e == 0)
        e = make_owners(m);
    if (e < 0) {
        map_done(m);
        return e;
    }
    account_make(&m->account, &m->space);
    make_sums(m);
    return 0;
}

// In place: what reads the process's memory is told by its address.
int map_load(struct map_view *m, pid_t pid, const struct map_options *o)
{
    *m = (struct map_view){0};
    int e = status_load(&m->status, pid);
    if (e == 0 && !m->status.has_memory)
        e = -ENODATA;
    if (e == 0)
        e = space_load(&m->space, pid, SPACE_BLOCKS | (o->pages ? SPACE_FRAMES : 0));
    return e < 0 ? e : view(m, o);
}

int map_load_core(struct map_view *m, const char *path, const struct map_options *o,
                  char why[CORE_WHY])
{
    *m = (struct map_view){0};
    if (space_load_core(&m->space, path, SPACE_BLOCKS, why) < 0)
        return -1;
    const struct core *c = &m->space.core;
    m->status = (struct status){.pid = c->pid, .threads = (u32)c->thread_count, .has_memory = true};
    snprintf(m->status.name, sizeof m->status.name, "%s", c->name);
    snprintf(m->status.command, sizeof m->status.command, "%s", c->command);
    utf8_clean(m->status.name);
    utf8_clean(m->status.command);
    if (view(m, o) == 0)
        return 0;
    snprintf(why, CORE_WHY, "no memory for a map of %s", path);
    return -1;
}

void map_done(struct map_view *m)
{
    space_done(&m->space);
    sections_done(&m->sections);
    free(m->owner);
    *m = (struct map_view){0};
}
