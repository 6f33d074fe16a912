// file.c: a file as bytes in memory.
#include <loam/file.h>

#include "base/base.h"
#include "os/file.h"

#include <errno.h>

#define READ_FIRST     (64 * KiB)
#define NOTHING_MAPPED 1 // an empty file: all is well, and its descriptor is not kept

static int map(int fd, loam_file *ret)
{
    u64 size;
    int r = os_file_size(fd, &size);
    if (r < 0)
        return r;
    if (size > PTRDIFF_MAX)
        return -EOVERFLOW;
    void *at = size == 0 ? NULL : os_file_map(fd, (size_t)size); // the kernel maps no empty file
    if (size != 0 && at == NULL)
        return -ENOMEM;
    *ret = (loam_file){
        .bytes = loam_bytes_of(at, (size_t)size),
        .fd = size == 0 ? -1 : fd,
        .mapped = (size_t)size,
    };
    return size == 0 ? NOTHING_MAPPED : 0;
}

int loam_file_map(const char *path, loam_file *ret_file)
{
    int fd = os_file_open(path, false);
    if (fd < 0)
        return fd;
    int r = map(fd, ret_file);
    if (r != 0)
        os_file_close(fd);
    return r < 0 ? r : 0;
}

// A block that doubles: the size that a file says it has is a hint at best.
struct buffer {
    loam_alloc alloc;
    char *at;
    size_t len, cap;
};

static loam_layout buffer_layout(const struct buffer *b)
{
    return loam_layout_make(b->cap, 1);
}

static bool buffer_grow(struct buffer *b)
{
    size_t cap = b->cap == 0 ? READ_FIRST : 2 * b->cap;
    char *at = loam_alloc_resize(b->alloc, b->at, buffer_layout(b), cap);
    if (at == NULL)
        return false;
    b->at = at;
    b->cap = cap;
    return true;
}

static int read_all(int fd, struct buffer *b)
{
    for (;;) {
        if (b->len == b->cap && !buffer_grow(b))
            return -ENOMEM;
        long n = os_file_read(fd, b->at + b->len, b->cap - b->len);
        if (n <= 0)
            return (int)n;
        b->len += (size_t)n;
        assert(b->len <= b->cap);
    }
}

int loam_file_read(const char *path, loam_alloc alloc, loam_file *ret_file)
{
    int saved = errno;
    int fd = os_file_open(path, true);
    if (fd < 0)
        return fd;
    struct buffer b = {.alloc = alloc};
    int r = read_all(fd, &b);
    os_file_close(fd);
    errno = saved; // an allocator may have set it
    if (r < 0) {
        loam_alloc_free(alloc, b.at, buffer_layout(&b));
        return r;
    }
    *ret_file = (loam_file){
        .bytes = loam_bytes_of(b.at, b.len),
        .fd = -1,
        .copy = buffer_layout(&b),
        .alloc = alloc,
    };
    return 0;
}

int loam_file_check(const loam_file *file)
{
    u64 size;
    if (file->mapped == 0)
        return 0;
    int r = os_file_size(file->fd, &size);
    if (r < 0)
        return r;
    return size < file->mapped ? -ESTALE : 0;
}

void loam_file_done(loam_file *file)
{
    if (file == NULL)
        return;
    if (loam_layout_valid(file->copy)) {
        loam_alloc_free(file->alloc, (void *)file->bytes.at, file->copy);
    } else if (file->mapped != 0) {
        os_file_unmap((void *)file->bytes.at, file->mapped);
        os_file_close(file->fd);
    }
    *file = (loam_file){.fd = -1};
}
