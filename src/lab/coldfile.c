// coldfile.c: written, synced, dropped, and then looked for: POSIX_FADV_DONTNEED is only advice.

#include "lab/coldfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK = 65536, WINDOW = 256, STAY = 16 };

static bool fill(int fd, u64 bytes, struct rng *rng)
{
    static u64 block[BLOCK / 8];
    for (u64 at = 0; at < bytes; at += BLOCK) {
        for (u32 i = 0; i < countof(block); i++)
            block[i] = rng_next(rng); // or a file system that compresses would cheat
        if (write(fd, block, BLOCK) != BLOCK)
            return false;
    }
    return fsync(fd) == 0;
}

bool coldfile_drop(int fd, u64 bytes)
{
    unsigned char there[WINDOW] = {0};
    u64 page = (u64)sysconf(_SC_PAGESIZE), part = bytes < WINDOW * page ? bytes : WINDOW * page;
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    void *at = mmap(NULL, part, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return false;
    u32 count = 0;
    bool told = mincore(at, part, there) == 0;
    for (u32 i = 0; i < part / page; i++)
        count += there[i] & 1;
    munmap(at, part);
    return told && count <= STAY;
}

int coldfile_make(struct lab *l, const char *key, u64 bytes)
{
    const char *folder = lab_folder(l);
    char path[512];
    if (folder == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/cold", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && fill(fd, bytes, &l->rng)) {
        if (coldfile_drop(fd, bytes))
            return fd;
        lab_cannot(l, key, "files in %s stay in memory (a tmpfs?)", folder);
    } else {
        lab_cannot(l, key, "no file could be written in %s: %s", folder, strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    return -1;
}
