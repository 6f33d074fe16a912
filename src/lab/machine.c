// machine.c: what /proc, /sys and cpuid tell.

#include "lab/machine.h"

#include "lab/clock.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

bool machine_line(const char *path, char *line, size_t size)
{
    FILE *f = fopen(path, "re");
    bool read = f != NULL && fgets(line, (int)size, f) != NULL;
    if (f != NULL)
        fclose(f);
    if (!read)
        *line = 0;
    line[strcspn(line, "\n")] = 0;
    return read;
}

static u64 number_in(const char *path)
{
    char line[64];
    return machine_line(path, line, sizeof line) ? strtoull(line, NULL, 10) : 0;
}

// The value behind "key :" in a file of such lines.
static bool value_of(const char *path, const char *key, char *value, size_t size)
{
    char line[4096];
    bool found = false;
    FILE *f = fopen(path, "re");
    while (!found && f != NULL && fgets(line, sizeof line, f) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, key, strlen(key)) != 0 || colon == NULL)
            continue;
        line[strcspn(line, "\n")] = 0;
        snprintf(value, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
        found = true;
    }
    if (f != NULL)
        fclose(f);
    return found;
}

static void read_cpu(struct machine *m)
{
    char text[4096];
    if (!value_of("/proc/cpuinfo", "model name", m->cpu, sizeof m->cpu))
        snprintf(m->cpu, sizeof m->cpu, "unknown processor");
    if (value_of("/proc/cpuinfo", "cpu family", text, sizeof text))
        m->family = (u32)atoi(text);
    if (value_of("/proc/cpuinfo", "model\t", text, sizeof text))
        m->model = (u32)atoi(text);
    bool guest = value_of("/proc/cpuinfo", "flags", text, sizeof text) &&
                 strstr(text, " hypervisor") != NULL;
    if (!machine_line("/sys/hypervisor/type", m->hypervisor, sizeof m->hypervisor))
        strcpy(m->hypervisor, guest ? "yes" : "none");
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        CPU_ZERO(&set);
    for (u32 i = 0; i < CPU_SETSIZE && m->cpu_count < MACHINE_CPUS; i++) {
        if (CPU_ISSET(i, &set))
            m->cpus[m->cpu_count++] = i;
    }
}

// "0-1,4": how many.
static u32 list_count(const char *list)
{
    u32 count = 0;
    while (*list != 0) {
        char *end;
        unsigned long first = strtoul(list, &end, 10), last = first;
        if (end == list)
            break;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        count += (u32)(last - first + 1);
        list = *end == ',' ? end + 1 : end;
    }
    return count;
}

static void read_caches(struct machine *m)
{
    char path[128], line[64];
    for (u32 i = 0; i < MACHINE_CACHES; i++) {
        struct cache *c = &m->cache[m->cache_count];
#define PART(name) \
    (snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%u/" name, i), path)
        if (!machine_line(PART("size"), line, sizeof line))
            continue;
        char *end;
        c->bytes = strtoull(line, &end, 10);
        c->bytes *= *end == 'K' ? KiB : *end == 'M' ? MiB : 1;
        c->level = (u32)number_in(PART("level"));
        c->line = (u32)number_in(PART("coherency_line_size"));
        c->ways = (u32)number_in(PART("ways_of_associativity"));
        c->type = machine_line(PART("type"), line, sizeof line) && *line == 'D' ? 'd'
                  : *line == 'I'                                                ? 'i'
                                                                                : 'u';
        if (machine_line(PART("shared_cpu_list"), line, sizeof line))
            c->shared_by = list_count(line);
#undef PART
        m->cache_count++;
    }
    char siblings[64];
    m->smt = machine_line("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", siblings,
                          sizeof siblings) &&
             list_count(siblings) > 1;
}

static u64 least(u64 a, u64 b)
{
    return a < b ? a : b;
}

// What the cgroup still allows; UINT64_MAX without a limit.
static u64 cgroup_left(struct machine *m)
{
    char line[512], path[600], text[64];
    strcpy(m->cgroup, access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "v2"
                      : access("/sys/fs/cgroup/memory", F_OK) == 0           ? "v1"
                                                                             : "none");
    if (strcmp(m->cgroup, "v2") == 0 && machine_line("/proc/self/cgroup", line, sizeof line) &&
        strncmp(line, "0::", 3) == 0) {
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", line + 3);
        if (machine_line(path, text, sizeof text) && strcmp(text, "max") != 0) {
            u64 limit = strtoull(text, NULL, 10);
            snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.current", line + 3);
            u64 used = number_in(path);
            return used < limit ? limit - used : 0;
        }
    } else if (strcmp(m->cgroup, "v1") == 0) {
        u64 limit = number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes");
        u64 used = number_in("/sys/fs/cgroup/memory/memory.usage_in_bytes");
        return limit == 0 ? UINT64_MAX : used < limit ? limit - used : 0;
    }
    return UINT64_MAX;
}

static void read_memory(struct machine *m)
{
    char text[256];
    m->page = (u64)sysconf(_SC_PAGESIZE);
    if (value_of("/proc/meminfo", "MemTotal", text, sizeof text))
        m->memory = strtoull(text, NULL, 10) * KiB;
    if (value_of("/proc/meminfo", "MemAvailable", text, sizeof text))
        m->available = strtoull(text, NULL, 10) * KiB;
    m->available = least(m->available, cgroup_left(m));
    m->room = least(GiB, m->available / 4);
    strcpy(m->thp, "none");
    if (machine_line("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof text)) {
        char *from = strchr(text, '['), *to = strchr(text, ']');
        if (from != NULL && to != NULL)
            snprintf(m->thp, sizeof m->thp, "%.*s", (int)(to - from - 1), from + 1);
    }
}

static bool counters_work(void)
{
    struct perf_event_attr a = {.type = PERF_TYPE_HARDWARE,
                                .size = sizeof a,
                                .config = PERF_COUNT_HW_CPU_CYCLES,
                                .exclude_kernel = 1};
    int fd = (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

// Frame numbers are shown as 0 to those who may not see them.
static bool frames_readable(void)
{
    u64 entry = 0, at = (u64)(uintptr_t)&entry / (u64)sysconf(_SC_PAGESIZE) * 8;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    bool read = fd >= 0 && pread(fd, &entry, sizeof entry, (off_t)at) == sizeof entry &&
                (entry & ((1ull << 55) - 1)) != 0;
    if (fd >= 0)
        close(fd);
    return read;
}

void machine_read(struct machine *m)
{
    *m = (struct machine){0};
    struct utsname u;
    if (uname(&u) == 0)
        snprintf(m->kernel, sizeof m->kernel, "%.120s", u.release);
    read_cpu(m);
    read_caches(m);
    read_memory(m);
    m->root = geteuid() == 0;
    m->pmu = counters_work();
    m->pagemap = frames_readable();
    m->timer_ns = clock_overhead_ns();
    m->core_ghz = clock_core_ghz();
}

u64 machine_cache(const struct machine *m, u32 level)
{
    for (u32 i = 0; i < m->cache_count; i++) {
        if (m->cache[i].level == level && m->cache[i].type != 'i')
            return m->cache[i].bytes;
    }
    return 0;
}

// Read with a descriptor that stays open: it is asked between samples.
u64 machine_steal(void)
{
    static _Thread_local int fd = -1;
    char line[512];
    if (fd < 0)
        fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, line, sizeof line - 1, 0);
    unsigned long long steal = 0;
    line[n < 0 ? 0 : n] = 0;
    sscanf(line, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &steal);
    return steal;
}

json_t *machine_json(const struct machine *m)
{
    json_t *caches = json_array();
    for (u32 i = 0; i < m->cache_count; i++) {
        const struct cache *c = &m->cache[i];
        json_array_append_new(caches,
                              json_pack("{si ss% sI si si si}", "level", c->level, "type", &c->type,
                                        (size_t)1, "bytes", (json_int_t)c->bytes, "line", c->line,
                                        "ways", c->ways, "shared_by", c->shared_by));
    }
    return json_pack("{ss si si ss si sb sf sf so sI sI sI sI ss ss sb sb sb ss}", "cpu", m->cpu,
                     "family", m->family, "model", m->model, "hypervisor", m->hypervisor, "cpus",
                     m->cpu_count, "smt", m->smt, "core_ghz", m->core_ghz, "timer_ns", m->timer_ns,
                     "caches", caches, "mem_bytes", (json_int_t)m->memory, "available_bytes",
                     (json_int_t)m->available, "room_bytes", (json_int_t)m->room, "page_bytes",
                     (json_int_t)m->page, "kernel", m->kernel, "thp", m->thp, "pmu", m->pmu, "root",
                     m->root, "frames", m->pagemap, "cgroup", m->cgroup);
}
