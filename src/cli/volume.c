// volume.c: see volume.h.

#include "cli/volume.h"

#include "base/options.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCKS ((RECORDING_SIZE_MAX - RECORDING_HEADER) / RECORDING_BLOCK)

// ---------------------------------------------------------------- the file

// V1: whoever can lock a recording is alone with it.
void volume_sweep(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    while (d != NULL && (e = readdir(d)) != NULL) {
        struct stat st;
        if (strncmp(e->d_name, OPTION_RECORD_PREFIX, sizeof OPTION_RECORD_PREFIX - 1) != 0)
            continue;
        int fd = openat(dirfd(d), e->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() && S_ISREG(st.st_mode) &&
            flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(d), e->d_name, 0);
        if (fd >= 0)
            close(fd);
    }
    if (d != NULL)
        closedir(d);
}

static int prepare_file(int fd)
{
    struct stat st;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &st) != 0 || st.st_nlink == 0)
        return -EAGAIN; // swept by another tool between the two calls
    if (ftruncate(fd, RECORDING_SIZE_MAX) != 0 || fallocate(fd, 0, 0, VOLUME_AHEAD) != 0)
        return -errno;
    return 0;
}

// A locked, sparse file with its first part backed. The descriptor or -errno.
static int create_file(const char *folder, char path[VOLUME_PATH])
{
    int n = snprintf(path, VOLUME_PATH, "%s/" OPTION_RECORD_PREFIX "%d-XXXXXX", folder, getpid());
    if (n < 0 || n >= VOLUME_PATH)
        return -ENAMETOOLONG;
    int fd = mkostemp(path, O_CLOEXEC); // 0600
    if (fd < 0)
        return -errno;
    int r = prepare_file(fd);
    if (r == 0)
        return fd;
    unlink(path);
    close(fd);
    return r;
}

int volume_create(struct volume *v, const char *folder, char ret_path[VOLUME_PATH])
{
    int fd = -EAGAIN;
    for (int tries = 0; tries < 3 && fd == -EAGAIN; tries++)
        fd = create_file(folder, ret_path);
    if (fd < 0)
        return fd;
    void *at = mmap(NULL, RECORDING_SIZE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        int e = -errno;
        unlink(ret_path);
        close(fd);
        return e;
    }
    *v = (struct volume){.rec = at, .fd = fd, .backed = VOLUME_AHEAD};
    v->rec->size = VOLUME_AHEAD;
    return 0;
}

void volume_done(struct volume *v)
{
    if (v->rec == NULL)
        return;
    munmap(v->rec, RECORDING_SIZE_MAX);
    close(v->fd);
    *v = (struct volume){0};
}

// ---------------------------------------------------------------- growing

// Programs never touch what is not backed: a sparse file on a full disk would kill them with
// SIGBUS.
bool volume_grow(struct volume *v)
{
    struct recording *r = v->rec;
    u64 used = RECORDING_HEADER + (u64)atomic_load(&r->blocks) * RECORDING_BLOCK;
    u64 size = v->backed, want = round_up(used + VOLUME_AHEAD, MiB);
    want = size_min(want, RECORDING_SIZE_MAX);
    if (want <= size || v->no_room)
        return false;
    if (fallocate(v->fd, 0, (off_t)size, (off_t)(want - size)) != 0) {
        v->no_room = errno != EINTR;
        return false;
    }
    v->backed = want;
    // Release: the pages are there before a process believes the size.
    atomic_store_explicit(&r->size, want, memory_order_release);
    return true;
}

u32 volume_blocks(const struct volume *v)
{
    u64 backed = (v->backed - RECORDING_HEADER) / RECORDING_BLOCK;
    u64 blocks = atomic_load_explicit(&v->rec->blocks, memory_order_acquire);
    return (u32)size_min(blocks, backed);
}

size_t volume_used(const struct volume *v)
{
    return RECORDING_HEADER + (size_t)volume_blocks(v) * RECORDING_BLOCK;
}

bool volume_nearly_full(const struct volume *v)
{
    return volume_blocks(v) > BLOCKS / 4 * 3;
}

bool volume_full(const struct volume *v)
{
    return volume_blocks(v) >= BLOCKS;
}

// ---------------------------------------------------------------- processes

struct record_process *volume_process(const struct volume *v, u32 i)
{
    struct record_block *b =
        (void *)((char *)v->rec + RECORDING_HEADER + (size_t)i * RECORDING_BLOCK);
    struct record_process *p = (void *)(b + 1);
    u32 used = atomic_load_explicit(&b->used, memory_order_acquire);
    bool whole = used >= sizeof *p && used <= RECORDING_BLOCK - sizeof *b &&
                 memcmp(b->magic, "blk\n", 4) == 0 && p->head.kind == RECORD_PROCESS &&
                 p->head.bytes >= sizeof *p;
    return whole ? p : NULL;
}

// A zombie has no memory any more, and writes nothing; but the first thread may be one while
// others run.
static bool is_zombie(u32 pid)
{
    char path[48], text[512], state = 0;
    long threads = 0;
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    FILE *f = fopen(path, "re");
    size_t n = f == NULL ? 0 : fread(text, 1, sizeof text - 1, f);
    if (f != NULL)
        fclose(f);
    text[n] = 0;
    const char *end = strrchr(text, ')'); // the name may hold anything
    if (end == NULL || sscanf(end + 1,
                              " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
                              "%*d %ld",
                              &state, &threads) != 2)
        return false;
    return (state == 'Z' || state == 'X') && threads <= 1;
}

bool volume_over(const struct volume *v)
{
    u32 blocks = volume_blocks(v);
    for (u32 i = 0; i < blocks; i++) {
        const struct record_process *p = volume_process(v, i);
        if (p != NULL && (kill((pid_t)p->pid, 0) == 0 || errno != ESRCH) && !is_zombie(p->pid))
            return false;
    }
    return true;
}
