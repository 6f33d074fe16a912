// state.c: the files of things to remove.
//
// They lie in $XDG_RUNTIME_DIR/loam-lab, else in /tmp/loam-lab-UID: ours, and closed to others.
// A file that somebody else planted could name any path: so the folder's owner and permissions are
// checked, and only paths with our prefix in their last part are removed.

#include "lab/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#define PREFIX "loam-lab."

static struct {
    char path[512];
    int fd;
} state = {.fd = -1};

static int folder_fd(char path[256])
{
    const char *run = getenv("XDG_RUNTIME_DIR");
    if (run != NULL && *run == '/' && access(run, W_OK) == 0)
        snprintf(path, 256, "%s/loam-lab", run);
    else
        snprintf(path, 256, "/tmp/loam-lab-%u", (unsigned)geteuid());
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return -errno;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat s;
    if (fd < 0)
        return -errno;
    if (fstat(fd, &s) == 0 && s.st_uid == geteuid() && (s.st_mode & 077) == 0)
        return fd;
    close(fd);
    return -EPERM;
}

// ---------------------------------------------------------------- removing

static bool ours(const char *path)
{
    const char *slash = strrchr(path, '/');
    return *path == '/' && slash != NULL && strncmp(slash + 1, PREFIX, strlen(PREFIX)) == 0 &&
           strstr(path, "/../") == NULL;
}

// Empty the folder `name` in `at`, and folders in it, `deep` levels of them. Links are removed, and
// never followed.
static bool empty_folder(int at, const char *name, u32 deep)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct stat s;
    if (dir == NULL || fstat(fd, &s) != 0 || s.st_uid != geteuid()) {
        if (dir != NULL)
            closedir(dir);
        else if (fd >= 0)
            close(fd);
        return false;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, e->d_name, 0) != 0 && deep > 0 && empty_folder(fd, e->d_name, deep - 1))
            unlinkat(fd, e->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
    return true;
}

// Programs that an experiment starts may make folders in its folder: two levels are enough.
static bool remove_folder(const char *path)
{
    return empty_folder(AT_FDCWD, path, 2) && rmdir(path) == 0;
}

static bool remove_cgroup(const char *path)
{
    char kill[600];
    snprintf(kill, sizeof kill, "%s/cgroup.kill", path);
    int fd = open(kill, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (write(fd, "1", 1) != 1)
            errno = 0; // nobody was in it
        close(fd);
    }
    for (u32 tries = 0; tries < 100; tries++) {
        if (rmdir(path) == 0)
            return true;
        if (errno != EBUSY)
            return false;
        usleep(10000);
    }
    return false;
}

static bool remove_thing(const char *kind, const char *path)
{
    if (!ours(path))
        return false;
    if (strcmp(kind, "folder") == 0)
        return remove_folder(path);
    if (strcmp(kind, "cgroup") == 0)
        return remove_cgroup(path);
    if (strcmp(kind, "swap") == 0)
        swapoff(path);
    return (strcmp(kind, "file") == 0 || strcmp(kind, "swap") == 0) && unlink(path) == 0;
}

// The last first: a swap file lies in a folder that was made before it.
static int remove_all(int fd)
{
    char text[16384];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n < 0 ? 0 : n] = 0;
    int removed = 0;
    for (size_t end = strlen(text); end > 0;) {
        text[--end] = 0; // the line's end
        size_t start = end;
        while (start > 0 && text[start - 1] != '\n')
            start--;
        char *path = strchr(text + start, ' ');
        if (path != NULL) {
            *path = 0;
            removed += remove_thing(text + start, path + 1);
        }
        end = start;
    }
    return removed;
}

// ---------------------------------------------------------------- files

int state_clean(void)
{
    char path[256];
    int dir = folder_fd(path), removed = 0;
    if (dir < 0)
        return dir;
    DIR *d = fdopendir(dir);
    if (d == NULL) {
        close(dir);
        return -ENOMEM;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        int fd = openat(dir, e->d_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            removed += remove_all(fd);
            unlinkat(dir, e->d_name, 0);
        }
        close(fd);
    }
    closedir(d);
    return removed;
}

int state_open(void)
{
    int r = state_clean();
    if (r < 0)
        return r;
    char path[256];
    int dir = folder_fd(path);
    if (dir < 0)
        return dir;
    close(dir);
    snprintf(state.path, sizeof state.path, "%s/state.%d", path, (int)getpid());
    state.fd =
        open(state.path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_APPEND, 0600);
    if (state.fd < 0)
        return -errno;
    return flock(state.fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
}

void state_add(const char *kind, const char *path)
{
    if (state.fd >= 0)
        dprintf(state.fd, "%s %s\n", kind, path);
}

void state_sweep(void)
{
    if (state.fd < 0)
        return;
    remove_all(state.fd);
    if (ftruncate(state.fd, 0) != 0)
        errno = 0; // then the list is longer than it need be
}

void state_close(void)
{
    if (state.fd < 0)
        return;
    state_sweep();
    unlink(state.path);
    close(state.fd);
    state.fd = -1;
}
