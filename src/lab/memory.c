// memory.c: memory and files that an experiment may use, within limits, and processors.

#include "lab/result.h"
#include "lab/state.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static u64 taken(const struct lab *l)
{
    u64 sum = 0;
    for (u32 i = 0; i < l->to->memory_count; i++)
        sum += l->to->memory[i].bytes;
    return sum;
}

static void *map(struct lab *l, size_t bytes, int flags)
{
    struct result *r = l->to;
    if (taken(l) + bytes > l->room || r->memory_count == countof(r->memory)) {
        lab_cannot(l, NULL, "it takes %llu MiB, and %llu MiB may be taken here",
                   (unsigned long long)(bytes >> 20), (unsigned long long)(l->room >> 20));
        return NULL;
    }
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        lab_cannot(l, NULL, "no memory: %s", strerror(errno));
        return NULL;
    }
    r->memory[r->memory_count].at = at;
    r->memory[r->memory_count++].bytes = bytes;
    return at;
}

void *lab_memory(struct lab *l, size_t bytes, enum lab_pages pages)
{
    // Whole huge pages: less than one would be given in small ones.
    bytes = round_up(bytes, pages == LAB_HUGE ? 2 * MiB : 4096);
    size_t more = pages == LAB_HUGE ? 2 * MiB : 0;
    char *at = map(l, bytes + more, MAP_PRIVATE | MAP_NORESERVE);
    if (at == NULL || pages == LAB_DEFAULT)
        return at;
    if (pages == LAB_HUGE)
        at = (char *)round_up((size_t)at, 2 * MiB);
    madvise(at, bytes, pages == LAB_HUGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    return at;
}

void *lab_shared(struct lab *l, size_t bytes)
{
    return map(l, round_up(bytes, 4096), MAP_SHARED);
}

u64 lab_smaps(const void *at, const char *key)
{
    char line[256];
    u64 kib = 0;
    size_t n = strlen(key);
    bool inside = false;
    FILE *f = fopen("/proc/self/smaps", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        unsigned long long from, to;
        if (sscanf(line, "%llx-%llx ", &from, &to) == 2)
            inside = from <= (u64)(uintptr_t)at && (u64)(uintptr_t)at < to;
        else if (inside && strncmp(line, key, n) == 0 && sscanf(line + n, ": %llu kB", &from) == 1)
            kib = from;
    }
    if (f != NULL)
        fclose(f);
    return kib * KiB;
}

const char *lab_folder(struct lab *l)
{
    char *path = l->to->folder;
    if (*path != 0)
        return path;
    const char *const places[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
    for (size_t i = 0; i < countof(places); i++) {
        if (places[i] == NULL)
            continue;
        snprintf(path, sizeof l->to->folder, "%s/loam-lab.%d.%llx", places[i], (int)getpid(),
                 (unsigned long long)rng_next(&l->rng));
        state_add("folder", path); // before it is made: it is never there unknown
        if (mkdir(path, 0700) == 0)
            return path;
    }
    *path = 0;
    lab_cannot(l, NULL, "there is no folder for temporary files");
    return NULL;
}

u32 lab_cpus(struct lab *l, u32 *cpus, u32 max)
{
    u32 n = l->machine->cpu_count < max ? l->machine->cpu_count : max;
    memcpy(cpus, l->machine->cpus, n * sizeof *cpus);
    return n;
}

bool lab_pin(u32 cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}
