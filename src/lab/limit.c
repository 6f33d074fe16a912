// limit.c: cgroup v1 has a mount for memory alone, v2 one for everything.

#include "lab/limit.h"

#include "lab/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool put(const struct limit *limit, const char *file, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", limit->path, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return done;
}

static bool version_2(void)
{
    char line[256];
    return machine_line("/sys/fs/cgroup/cgroup.subtree_control", line, sizeof line) &&
           strstr(line, "memory") != NULL;
}

bool limit_make(struct lab *l, const char *key, u64 bytes, struct limit *ret)
{
    bool two = version_2();
    char text[32];
    if (!l->machine->root || (!two && access("/sys/fs/cgroup/memory/cgroup.procs", W_OK) != 0)) {
        lab_cannot(l, key,
                   "it takes a limit on memory (a cgroup), which only root can set, "
                   "outside of a container");
        return false;
    }
    snprintf(ret->path, sizeof ret->path, "/sys/fs/cgroup/%sloam-lab.%d", two ? "" : "memory/",
             (int)getpid());
    snprintf(text, sizeof text, "%llu", (unsigned long long)bytes);
    state_add("cgroup", ret->path);
    if (mkdir(ret->path, 0700) != 0 ||
        !put(ret, two ? "memory.max" : "memory.limit_in_bytes", text)) {
        lab_cannot(l, key, "no limit on memory can be set: %s", strerror(errno));
        return false;
    }
    return true;
}

bool limit_enter(const struct limit *limit)
{
    return put(limit, "cgroup.procs", "0");
}
