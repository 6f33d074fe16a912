// keep.c: compare with a shadow, write what differs, outermost things last.

#include "cli/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEEP_PIECE ((size_t)4 * KiB)

// A typing error must not cost anybody a file: only an empty file or an older recording is
// overwritten.
static int may_overwrite(int fd)
{
    struct stat st;
    char magic[sizeof RECORDING_MAGIC - 1];
    if (fstat(fd, &st) != 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return S_ISCHR(st.st_mode) ? 0 : -ESPIPE;
    if (st.st_size == 0)
        return 0;
    bool ours = pread(fd, magic, sizeof magic, 0) == (ssize_t)sizeof magic &&
                memcmp(magic, RECORDING_MAGIC, sizeof magic) == 0;
    return ours ? 0 : -EEXIST;
}

static int open_file(struct keep *k, const char *path)
{
    *k = (struct keep){.fd = -1};
    // 0600: a recording holds the command line and the paths of its owner.
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
        return -errno;
    int r = may_overwrite(fd);
    if (r == 0 && ftruncate(fd, 0) != 0 && errno != EINVAL) // EINVAL: a device
        r = -errno;
    if (r < 0)
        close(fd);
    else
        k->fd = fd;
    return r;
}

int keep_begin(struct keep *k, const char *path)
{
    int r = open_file(k, path);
    if (r < 0)
        return r;
    k->shadow = mmap(NULL, RECORDING_SIZE_MAX, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (k->shadow != MAP_FAILED)
        return 0;
    k->shadow = NULL;
    keep_end(k);
    return -ENOMEM;
}

int keep_once(const char *path, struct recording *r, size_t used)
{
    struct keep k;
    int e = open_file(&k, path);
    e = e < 0 ? e : keep_copy(&k, r, used);
    keep_end(&k);
    return e;
}

void keep_end(struct keep *k)
{
    if (k->fd < 0)
        return;
    if (k->shadow != NULL)
        munmap(k->shadow, RECORDING_SIZE_MAX);
    close(k->fd);
    k->fd = -1;
}

// Make [at, at + size) of the file say what `bytes` say. The bytes may change meanwhile; they
// pass through a buffer, so that shadow and file get the same ones.
static int write_piece(struct keep *k, size_t at, const void *bytes, size_t size)
{
    char now[KEEP_PIECE];
    memcpy(now, bytes, size);
    if (k->shadow != NULL && memcmp(now, k->shadow + at, size) == 0)
        return 0;
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(k->fd, now + done, size - done, (off_t)(at + done));
        if (n < 0 && errno != EINTR)
            return -errno;
        done += n < 0 ? 0 : (size_t)n;
    }
    if (k->shadow != NULL)
        memcpy(k->shadow + at, now, size);
    return 0;
}

static int write_range(struct keep *k, size_t at, const char *bytes, size_t size)
{
    for (size_t done = 0; done < size; done += KEEP_PIECE) {
        int r = write_piece(k, at + done, bytes + done, size_min(KEEP_PIECE, size - done));
        if (r < 0)
            return r;
    }
    return 0;
}

static int write_block(struct keep *k, struct recording *r, size_t at)
{
    struct record_block *b = (void *)((char *)r + at);
    struct record_block head = *b;
    // Pairs with the writer's release: records below `used` are complete (F1).
    u32 used = atomic_load_explicit(&b->used, memory_order_acquire);
    head.used = (u32)size_min(used, RECORDING_BLOCK - sizeof head);
    int e = write_range(k, at + sizeof head, (const char *)(b + 1), head.used);
    return e < 0 ? e : write_range(k, at, (const char *)&head, sizeof head);
}

static int write_header(struct keep *k, const struct recording *r, u32 blocks)
{
    char page[RECORDING_HEADER];
    memcpy(page, r, sizeof page);
    ((struct recording *)page)->blocks = blocks;
    return write_range(k, 0, page, sizeof page);
}

int keep_copy(struct keep *k, struct recording *r, size_t used)
{
    if (k->fd < 0)
        return 0;
    u32 blocks = (u32)((used - RECORDING_HEADER) / RECORDING_BLOCK);
    int e = 0;
    for (u32 i = 0; i < blocks && e == 0; i++)
        e = write_block(k, r, RECORDING_HEADER + (size_t)i * RECORDING_BLOCK);
    // A reader takes a file that ends within its last block for cut off.
    if (e == 0 && blocks > 0 && ftruncate(k->fd, (off_t)used) != 0 && errno != EINVAL)
        e = -errno;
    if (e == 0)
        e = write_header(k, r, blocks);
    return k->error = e;
}
