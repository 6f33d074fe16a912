// maps.h: the mappings of a process, as /proc/PID/maps tells them.
#pragma once

#include "base/base.h"

#include <sys/types.h>

struct map {
    u64 start, end;
    u64 offset;
    u64 inode; // 0: no file
    u32 major, minor;
    bool readable, writable, executable, shared;
    const char *path; // "" for an anonymous mapping; "[stack]", "[heap]", "[anon:name]"
};

struct maps {
    struct map *map; // in order of address
    size_t count;
    char *text; // what the paths point into
};

// 0, -ESRCH, -ENOMEM or what open said. After a failure *m is empty.
int maps_load(struct maps *m, pid_t tid);
void maps_done(struct maps *m);
// The mapping that holds an address, or NULL.
const struct map *maps_find(const struct maps *m, u64 addr);
// True for anonymous private memory: what stacks and arenas are made of.
bool maps_anonymous(const struct map *m);
// One line, "start-end rwxp offset major:minor inode   path"; the path may hold spaces and points
// into it. False if it is none.
bool maps_parse(char *line, struct map *m);
// All that a descriptor gives, terminated; the caller frees it. 0 or -errno.
int maps_read(int fd, char **ret_text);
// Whether both map the same file.
bool maps_same_file(const struct map *a, const struct map *b);
