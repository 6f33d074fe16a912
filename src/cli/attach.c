// attach.c: see attach.h.

#include "cli/attach.h"

#include "base/options.h"
#include "target/recorded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENVIRON_MAX (4 * MiB)

// The environment of a process, entries ended by NUL, or NULL with errno. To be freed.
static char *read_environ(pid_t pid, size_t *ret_size)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *text = malloc(ENVIRON_MAX + 1);
    ssize_t n = 0, at = 0;
    while (text != NULL && (n = read(fd, text + at, ENVIRON_MAX - (size_t)at)) > 0)
        at += n;
    int saved = errno;
    close(fd);
    if (text == NULL || n < 0) {
        free(text);
        errno = saved;
        return NULL;
    }
    text[at] = 0;
    *ret_size = (size_t)at;
    return text;
}

static const char *find_loam(const char *text, size_t size)
{
    for (size_t at = 0; at < size; at += strlen(text + at) + 1)
        if (strncmp(text + at, "LOAM=", 5) == 0)
            return text + at + 5;
    return NULL;
}

static int say_why(char *why, size_t why_size, pid_t pid, int e)
{
    if (e == ENOENT || e == ESRCH)
        snprintf(why, why_size, "there is no process %d.", pid);
    else if (e == EACCES || e == EPERM)
        snprintf(why, why_size, "process %d belongs to another user.", pid);
    else
        snprintf(why, why_size, "process %d cannot be asked: %s.", pid, strerror(e));
    return -1;
}

// The recording that it maps; gone with the tool that made it, the name says so.
static bool mapped_path(pid_t pid, char *ret, size_t size)
{
    static const char gone[] = " (deleted)";
    struct smaps maps;
    bool found = false;
    if (smaps_load(&maps, pid) < 0)
        return false;
    for (size_t i = 0; i < maps.count && !found; i++) {
        const char *path = maps.smap[i].map.path;
        size_t len = strlen(path);
        bool deleted = len >= sizeof gone && strcmp(path + len - sizeof gone + 1, gone) == 0;
        found = recorded_is(&maps.smap[i].map) && !deleted && len < size;
        if (found)
            memcpy(ret, path, len + 1);
    }
    smaps_done(&maps);
    return found;
}

int attach_path(pid_t pid, char *ret, size_t size, char *why, size_t why_size)
{
    size_t text_size = 0;
    struct options options;
    char *text = read_environ(pid, &text_size);
    if (text == NULL)
        return say_why(why, why_size, pid, errno);
    options_parse(find_loam(text, text_size), &options);
    struct option_text path = options.value[OPTION_RECORD];
    int r = 0;
    if (path.at == NULL && mapped_path(pid, ret, size)) {
        r = 0;
    } else if (path.at == NULL || path.len >= size) {
        snprintf(why, why_size, "process %d is not recorded: start it by 'loam run -- …'.", pid);
        r = -1;
    } else {
        memcpy(ret, path.at, path.len);
        ret[path.len] = 0;
    }
    free(text);
    return r;
}

static bool is_recording(const struct recording *r)
{
    return memcmp(r->magic, RECORDING_MAGIC, sizeof r->magic) == 0 &&
           r->version == RECORDING_VERSION && atomic_load(&r->closed) == 0;
}

int attach_header(pid_t pid, struct recording **ret, char *why, size_t why_size)
{
    char path[4096];
    struct stat st;
    if (attach_path(pid, path, sizeof path, why, why_size) < 0)
        return -1;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    void *at = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= RECORDING_HEADER)
        at = mmap(NULL, RECORDING_HEADER, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (at != MAP_FAILED && is_recording(at)) {
        *ret = at;
        return 0;
    }
    if (at != MAP_FAILED)
        attach_done(at);
    snprintf(why, why_size, "process %d was recorded, but its 'loam run' has ended.", pid);
    return -1;
}

void attach_done(struct recording *map)
{
    munmap(map, RECORDING_HEADER);
}
