// sharer.c: who else maps a frame.
#include "inspect/sharer.h"

#include "inspect/status.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct search {
    struct sharers *found;
    const struct map *map;
    u64 addr, frame;
    size_t room;
};

static int add(struct search *s, pid_t pid, u64 addr)
{
    struct sharers *f = s->found;
    struct status status = {0};
    if (f->count == s->room) {
        s->room = s->room != 0 ? 2 * s->room : 16;
        struct sharer *more = realloc(f->sharer, s->room * sizeof *more);
        if (more == NULL)
            return -ENOMEM;
        f->sharer = more;
    }
    struct sharer *x = &f->sharer[f->count++];
    *x = (struct sharer){.pid = pid, .addr = addr};
    if (status_load(&status, pid) == 0)
        memcpy(x->name, status.name, sizeof x->name);
    return 0;
}

static bool has_frame(const struct search *s, const struct residence *r, u64 addr)
{
    u64 word = residence_entry(r, addr);
    return word & ENTRY_PRESENT && (word & ENTRY_FRAME) == s->frame;
}

// Where mapping `m` has the page of the file that is looked for; 0 if it does not reach there.
static u64 in_mapping(const struct search *s, const struct map *m)
{
    u64 offset = s->map->offset + (s->addr - s->map->start);
    if (!maps_same_file(m, s->map) || offset < m->offset || offset - m->offset >= m->end - m->start)
        return 0;
    return m->start + (offset - m->offset);
}

static int search_maps(struct search *s, const struct residence *r, pid_t pid)
{
    struct maps maps;
    if (maps_load(&maps, pid) < 0)
        return 0;
    int e = 0;
    for (size_t i = 0; e == 0 && i < maps.count; i++) {
        u64 addr = in_mapping(s, &maps.map[i]);
        if (addr != 0 && addr != s->addr && has_frame(s, r, addr))
            e = add(s, pid, addr);
    }
    maps_done(&maps);
    return e;
}

static int search_one(struct search *s, pid_t pid, bool self)
{
    struct residence r;
    if (residence_open(&r, pid) < 0) {
        s->found->unreadable++;
        return 0;
    }
    int e = !self && has_frame(s, &r, s->addr) ? add(s, pid, s->addr) : 0;
    if (e == 0 && s->map->inode != 0)
        e = search_maps(s, &r, pid);
    residence_close(&r);
    return e;
}

int sharers_find(struct sharers *s, pid_t pid, const struct map *map, u64 addr, u64 frame)
{
    *s = (struct sharers){0};
    struct search search = {s, map, addr, frame, 0};
    DIR *dir = opendir("/proc");
    int e = 0;
    for (struct dirent *d; e == 0 && dir != NULL && (d = readdir(dir)) != NULL;) {
        pid_t other = *d->d_name >= '0' && *d->d_name <= '9' ? status_pid(d->d_name) : 0;
        if (other > 0)
            e = search_one(&search, other, other == pid);
    }
    if (dir != NULL)
        closedir(dir);
    if (e < 0)
        sharers_done(s);
    return e;
}

void sharers_done(struct sharers *s)
{
    free(s->sharer);
    *s = (struct sharers){0};
}
