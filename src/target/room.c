// room.c: how much memory the tool may take without driving the machine into its OOM killer.
#include "target/room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The number behind `key` in a file of "key number" lines, or of one number (key ""); `otherwise`
// when there is none ("max" is none).
static u64 number_in(const char *path, const char *key, u64 otherwise)
{
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return otherwise;
    char line[256];
    u64 found = otherwise;
    size_t n = strlen(key);
    while (fgets(line, sizeof line, in) != NULL) {
        if (strncmp(line, key, n) != 0)
            continue;
        char *end;
        u64 v = strtoull(line + n, &end, 10);
        if (end != line + n) {
            found = v;
            break;
        }
    }
    fclose(in);
    return found;
}

static u64 group_room(const char *dir)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/memory.max", dir);
    u64 max = number_in(path, "", ~(u64)0);
    if (max == ~(u64)0)
        return max;
    snprintf(path, sizeof path, "%s/memory.current", dir);
    u64 used = number_in(path, "", 0);
    snprintf(path, sizeof path, "%s/memory.stat", dir);
    u64 cache = number_in(path, "inactive_file ", 0); // goes as soon as it is asked for
    used = used > cache ? used - cache : 0;
    return max > used ? max - used : 0;
}

// The tightest of the control groups (version 2) from ours up to the root.
static u64 groups_room(void)
{
    char line[1024] = "", dir[1100];
    FILE *in = fopen("/proc/self/cgroup", "re");
    if (in == NULL)
        return ~(u64)0;
    while (fgets(line, sizeof line, in) != NULL && strncmp(line, "0::", 3) != 0)
        line[0] = 0;
    fclose(in);
    line[strcspn(line, "\n")] = 0;
    if (line[0] == 0)
        return ~(u64)0;
    snprintf(dir, sizeof dir, "/sys/fs/cgroup%s", line + 3);
    u64 room = ~(u64)0;
    for (char *slash; (slash = strrchr(dir, '/')) != NULL && strlen(dir) >= 14; *slash = 0) {
        u64 here = group_room(dir);
        room = here < room ? here : room;
    }
    return room;
}

bool room_for(size_t bytes)
{
    u64 kib = number_in("/proc/meminfo", "MemAvailable:", ~(u64)0);
    u64 room = kib < ~(u64)0 / KiB ? kib * KiB : ~(u64)0;
    u64 group = groups_room();
    room = group < room ? group : room;
    return bytes <= room / 4 * 3;
}

size_t room_resident(pid_t tid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/statm", tid);
    FILE *in = fopen(path, "re");
    unsigned long size = 0, resident = 0;
    int n = in != NULL ? fscanf(in, "%lu %lu", &size, &resident) : 0;
    if (in != NULL)
        fclose(in);
    return n == 2 ? resident * (size_t)sysconf(_SC_PAGESIZE) : 0;
}
