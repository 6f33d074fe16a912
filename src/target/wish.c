// wish.c: see wish.h.
#include "target/wish.h"

#include "heap/heap.h"
#include "target/memory.h"
#include "target/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int say_why(char *why, size_t size, pid_t pid, const char *what)
{
    snprintf(why, size, "process %d %s", pid, what);
    return -1;
}

// A filter of system calls may end a program that opens a file.
static bool has_filter(pid_t pid)
{
    char path[64], line[128];
    bool filter = false;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        filter |= strncmp(line, "Seccomp:", 8) == 0 && atoi(line + 8) != 0;
    if (f != NULL)
        fclose(f);
    return f == NULL || filter;
}

static bool same_place(pid_t pid, const char *what)
{
    char path[64];
    struct stat ours, theirs;
    snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
    int e = stat(path, &theirs);
    snprintf(path, sizeof path, "/proc/self/%s", what);
    return e == 0 && stat(path, &ours) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

static u64 find_root(pid_t pid, int *ret_error)
{
    struct memory memory;
    struct maps maps;
    *ret_error = maps_load(&maps, pid);
    if (*ret_error < 0)
        return 0;
    memory_open(&memory, pid);
    u64 root = root_find(&memory.target, &maps, ret_error);
    memory_close(&memory);
    maps_done(&maps);
    return root;
}

int wish_open(struct wish *w, pid_t pid, char *why, size_t why_size)
{
    struct heap_root root;
    char path[64];
    int e;
    *w = (struct wish){.pid = pid, .mem = -1};
    u64 at = find_root(pid, &e);
    if (e == -ESRCH || e == -ENOENT)
        return say_why(why, why_size, pid, "does not exist.");
    if (e == -EACCES || e == -EPERM)
        return say_why(why, why_size, pid, "may not be looked at: it belongs to another user.");
    if (at == 0)
        return say_why(
            why, why_size, pid,
            "is not on loam's heap: start it with LD_PRELOAD=libloam.so, see 'loam env'.");
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    w->mem = open(path, O_RDWR | O_CLOEXEC);
    if (w->mem < 0 || pread(w->mem, &root, sizeof root, (off_t)at) != (ssize_t)sizeof root)
        return say_why(why, why_size, pid, "may not be written to.");
    w->wish = root.wish;
    w->sampled = root.sampled;
    int before = wish_answer(w);
    const char *no = before == 1 ? "was sampled before, by a 'loam sample' that has ended."
                     : root.wish == 0 || root.sampled == 0
                         ? "cannot be asked: it was started to be recorded, or with privileges."
                     : has_filter(pid) ? "has a filter of system calls: asking could end it."
                     : !same_place(pid, "ns/mnt") || !same_place(pid, "root")
                         ? "lives in another file system: it could not open the recording."
                         : NULL;
    if (no == NULL)
        return 0;
    wish_close(w);
    return say_why(why, why_size, pid, no);
}

void wish_close(struct wish *w)
{
    if (w->mem >= 0)
        close(w->mem);
    w->mem = -1;
}

static int put(struct wish *w, u64 at, const void *bytes, size_t size)
{
    ssize_t n = pwrite(w->mem, bytes, size, (off_t)at);
    return n == (ssize_t)size ? 0 : n < 0 ? -errno : -ESRCH;
}

static int set_sampled(struct wish *w, u32 value)
{
    return put(w, w->sampled, &value, sizeof value);
}

int wish_make(struct wish *w, const char *path, u64 mean)
{
    char name[WISH_PATH] = {0};
    int why = 0;
    if (strlen(path) >= sizeof name)
        return -ENAMETOOLONG;
    snprintf(name, sizeof name, "%s", path);
    int e = put(w, w->wish + offsetof(struct heap_wish, path), name, sizeof name);
    if (e == 0 && mean != 0)
        e = put(w, w->wish + offsetof(struct heap_wish, mean), &mean, sizeof mean);
    if (e == 0)
        e = put(w, w->wish + offsetof(struct heap_wish, why), &why, sizeof why);
    // Last: who sees it looks at the others. One byte of it changes, so it cannot be seen half.
    return e == 0 ? set_sampled(w, 1) : e;
}

int wish_answer(struct wish *w)
{
    int why = 0;
    ssize_t n = pread(w->mem, &why, sizeof why, (off_t)(w->wish + offsetof(struct heap_wish, why)));
    return n == (ssize_t)sizeof why ? why : -ESRCH;
}

void wish_end(struct wish *w)
{
    if (wish_answer(w) == 0)
        set_sampled(w, 0);
}
