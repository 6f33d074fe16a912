// machine.h: the machine that the lab runs on: what is said of it, and what may be used.
#pragma once

#include "base/base.h"

#include <jansson.h>

enum { MACHINE_CACHES = 6, MACHINE_CPUS = 256 };

struct cache {
    u32 level;
    char type;                 // 'd' data, 'i' instructions, 'u' both
    u64 bytes;                 // as reported: a guest may be shown more than it can use
    u32 line, ways, shared_by; // shared_by: processors
};

struct machine {
    char cpu[128], kernel[128], hypervisor[32], thp[16], cgroup[8];
    u32 family, model;
    u32 cpu_count, cpus[MACHINE_CPUS]; // that we may run on
    bool smt;                          // two of them share a core
    struct cache cache[MACHINE_CACHES];
    u32 cache_count;
    u64 memory, available; // bytes; available: also under the cgroup's limit
    u64 room;              // what an experiment may take
    u64 page;
    double core_ghz, timer_ns;
    bool root, pmu, pagemap; // pagemap: frames can be read
};

void machine_read(struct machine *m);
json_t *machine_json(const struct machine *m);
// The size of a level's data cache; 0 if it is not told.
u64 machine_cache(const struct machine *m, u32 level);
// The hypervisor's share of this processor's time so far, in clock ticks.
u64 machine_steal(void);
// The first line of a file, without its end; false if it cannot be read.
bool machine_line(const char *path, char *line, size_t size);
