// mem.h: `loam mem`: what a process takes: RSS, PSS, USS, swap, faults, huge pages.
//
//     RSS  what of it is in RAM, shared pages counted whole: sums over processes count them twice
//     PSS  shared pages divided by who shares them: sums over processes are right
//     USS  its own alone: what would be free if it ended
#pragma once

#include "inspect/account_view.h"
#include "inspect/status.h"

#include <jansson.h>

// What is compared between two looks.
struct mem_sums {
    struct status status;
    struct smap total;
    u64 taken_ns; // CLOCK_MONOTONIC
};

struct mem {
    struct mem_sums sums;
    struct space space;
    struct account account;
    struct pins pins;
    struct blame blame;
};

// Mappings of one name together.
struct mem_group {
    const char *name; // borrowed from the mem
    struct smap sum;
    u64 size; // bytes of address space
    u32 count;
};
struct mem_groups {
    struct mem_group *group; // largest PSS first, then largest size
    size_t count;
};

static inline u64 mem_uss(const struct smap *s)
{
    return s->private_clean + s->private_dirty;
}

// 0; -ESRCH, -EACCES, -ENODATA (a thread of the kernel or a zombie: it has no memory), -ENOMEM.
int mem_load(struct mem *m, pid_t pid);
void mem_done(struct mem *m);
// With `each`, one group a mapping, in order of address. 0 or -ENOMEM.
int mem_groups(const struct mem *m, bool each, struct mem_groups *ret);
void mem_groups_done(struct mem_groups *g);
// What mappings are called: the last part of a path, "[heap]", "anonymous".
const char *mem_name(const struct map *m);

// The page. `before` is the same process earlier, or NULL; `all`: every mapping.
void mem_text(struct ink *k, struct mem *m, const struct mem_sums *before, bool all);
json_t *mem_json(struct mem *m, const struct mem_sums *before);

// The same over a family of processes.
int mem_tree_text(struct ink *k, const struct family *f);
json_t *mem_tree_json(const struct family *f);
