// find.c: the process that a record's pid means.
#include "target/find.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct map *find_recording(const struct maps *ours, const struct maps *theirs,
                                 const struct recording *rec)
{
    const struct map *mine = maps_find(ours, (u64)(uintptr_t)rec);
    if (mine == NULL || mine->inode == 0)
        return NULL;
    for (size_t i = 0; i < theirs->count; i++) {
        const struct map *m = &theirs->map[i];
        if (maps_same_file(m, mine))
            return m;
    }
    return NULL;
}

// Mappings are told by any living thread; the first one may be gone.
static int load_any(struct maps *m, pid_t pid)
{
    int e = maps_load(m, pid);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *dir = e < 0 ? opendir(path) : NULL;
    for (struct dirent *d; e < 0 && dir != NULL && (d = readdir(dir)) != NULL;)
        if (atoi(d->d_name) > 0)
            e = maps_load(m, atoi(d->d_name));
    if (dir != NULL)
        closedir(dir);
    return e;
}

static int try(pid_t pid, const struct maps *ours, const struct recording *rec,
               int (*look)(void *ctx, pid_t pid), void *ctx)
{
    struct maps theirs;
    int e = load_any(&theirs, pid);
    if (e < 0)
        return e;
    bool maps_it = find_recording(ours, &theirs, rec) != NULL;
    maps_done(&theirs);
    return maps_it ? look(ctx, pid) : -ESRCH;
}

// The number that a process has in its innermost pid namespace; 0 if that is ours.
static pid_t inner_pid(pid_t pid)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *in = fopen(path, "re");
    pid_t inner = 0;
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        if (strncmp(line, "NSpid:", 6) != 0)
            continue;
        const char *first = strchr(line, '\t'), *last = strrchr(line, '\t');
        inner = last != first ? atoi(last) : 0;
        break;
    }
    if (in != NULL)
        fclose(in);
    return inner;
}

int find_each(pid_t recorded, const struct maps *ours, const struct recording *rec,
              int (*look)(void *ctx, pid_t pid), void *ctx)
{
    int first = try(recorded, ours, rec, look, ctx);
    if (first == 0)
        return first;
    int e = -ESRCH;
    DIR *dir = opendir("/proc");
    for (struct dirent *d; e != 0 && dir != NULL && (d = readdir(dir)) != NULL;) {
        pid_t pid = atoi(d->d_name);
        if (pid > 0 && pid != recorded && inner_pid(pid) == recorded)
            e = try(pid, ours, rec, look, ctx);
    }
    if (dir != NULL)
        closedir(dir);
    return e != -ESRCH ? e : first;
}
