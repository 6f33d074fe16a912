// keep.c: compare with a shadow, write what differs, outermost things last.

#include "cli/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEEP_PIECE ((size_t)4 * KiB)
#define KEEP_SIZE  (RECORDING_HEADER + (size_t)RECORDING_BLOCKS_MAX * RECORDING_BLOCK)

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
    // Under a limit on addresses the file is written whole each time.
    k->shadow = mmap(NULL, KEEP_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (k->shadow == MAP_FAILED)
        k->shadow = NULL;
    return 0;
}

int keep_once(const char *path, const struct keep_source *s)
{
    struct keep k;
    int e = open_file(&k, path);
    e = e < 0 ? e : keep_copy(&k, s);
    keep_end(&k);
    return e;
}

void keep_end(struct keep *k)
{
    if (k->fd < 0)
        return;
    if (k->shadow != NULL)
        munmap(k->shadow, KEEP_SIZE);
    close(k->fd);
    k->fd = -1;
}

// Make [at, at + size) of the file say what `bytes` say.
static int write_piece(struct keep *k, size_t at, const void *bytes, size_t size)
{
    if (k->shadow != NULL && memcmp(bytes, k->shadow + at, size) == 0)
        return 0;
    for (size_t done = 0; done < size;) {
        const char *from = (const char *)bytes + done;
        ssize_t n = pwrite(k->fd, from, size - done, (off_t)(at + done));
        if (n < 0 && errno != EINTR)
            return -errno;
        done += n < 0 ? 0 : (size_t)n;
    }
    if (k->shadow != NULL)
        memcpy(k->shadow + at, bytes, size);
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

// ---------------------------------------------------------------- blocks

// A copy of a block that others may be writing, its processes numbered for the whole file. Only
// what `used` covers is taken: pieces beyond it are still being made.
static void copy_block(struct record_block *to, const char *from, u32 add)
{
    const struct record_block *b = (const void *)from;
    // Pairs with the writer's release: records below `used` are complete (F1).
    u32 used = atomic_load_explicit(&b->used, memory_order_acquire);
    used = (u32)size_min(used, RECORDING_BLOCK - sizeof *b);
    memcpy(to, from, sizeof *b + used);
    to->used = used;
    if (add == 0 || memcmp(to->magic, "blk\n", sizeof to->magic) != 0)
        return;
    struct record_process *p = (void *)(to + 1);
    to->process += add;
    if (used < sizeof *p || p->head.kind != RECORD_PROCESS)
        return;
    p->index += add;
    p->parent += p->parent == 0 ? 0 : add;
}

static int write_block(struct keep *k, size_t at, const struct keep_part *part, u32 i)
{
    union {
        struct record_block block;
        char bytes[RECORDING_BLOCK];
    } copy;
    size_t head = sizeof copy.block;
    copy_block(&copy.block, part->blocks + (size_t)i * RECORDING_BLOCK, part->add);
    int e = write_range(k, at + head, copy.bytes + head, copy.block.used);
    return e < 0 ? e : write_range(k, at, copy.bytes, head);
}

static u32 blocks_of(const struct keep_source *s)
{
    u32 blocks = 0;
    for (u32 i = 0; i < s->parts_count; i++)
        blocks += s->parts[i].count;
    return blocks < RECORDING_BLOCKS_MAX ? blocks : RECORDING_BLOCKS_MAX;
}

static size_t place_of(u32 block)
{
    return RECORDING_HEADER + (size_t)block * RECORDING_BLOCK;
}

static int write_header(struct keep *k, const struct keep_source *s, u32 blocks)
{
    char page[RECORDING_HEADER] = {0};
    memcpy(page, &s->head, sizeof s->head);
    ((struct recording *)page)->blocks = blocks;
    return write_range(k, 0, page, sizeof page);
}

// From the last block to the first: blocks move towards the end of the file when ended processes
// go to the archive, and what is overwritten stands further on already.
int keep_copy(struct keep *k, const struct keep_source *s)
{
    if (k->fd < 0)
        return 0;
    u32 blocks = blocks_of(s), at = blocks;
    int e = 0;
    for (u32 i = s->parts_count; i-- > 0;) {
        for (u32 j = s->parts[i].count; j-- > 0 && e == 0 && at > 0;)
            e = write_block(k, place_of(--at), &s->parts[i], j);
    }
    // A reader takes a file that ends within its last block for cut off.
    if (e == 0 && blocks > 0 && ftruncate(k->fd, (off_t)place_of(blocks)) != 0 && errno != EINVAL)
        e = -errno;
    if (e == 0)
        e = write_header(k, s, blocks);
    return k->error = e;
}

char *keep_image(const struct keep_source *s, size_t *ret_size)
{
    u32 blocks = blocks_of(s), at = 0;
    char *image = calloc(1, place_of(blocks));
    if (image == NULL)
        return NULL;
    memcpy(image, &s->head, sizeof s->head);
    ((struct recording *)image)->blocks = blocks;
    for (u32 i = 0; i < s->parts_count; i++) {
        const struct keep_part *p = &s->parts[i];
        for (u32 j = 0; j < p->count && at < blocks; j++)
            copy_block((void *)(image + place_of(at++)), p->blocks + (size_t)j * RECORDING_BLOCK,
                       p->add);
    }
    *ret_size = place_of(blocks);
    return image;
}
