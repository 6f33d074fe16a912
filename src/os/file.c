// file.c: files that the program asks the toolkit for.
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int os_file_open(const char *path, bool wait)
{
    int saved = errno, fd;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (wait ? 0 : O_NONBLOCK));
    } while (fd < 0 && errno == EINTR);
    int r = fd < 0 ? -errno : fd;
    errno = saved;
    return r;
}

void os_file_close(int fd)
{
    int saved = errno;
    close(fd);
    errno = saved;
}

int os_file_size(int fd, u64 *ret_size)
{
    int saved = errno;
    struct stat st;
    int r = fstat(fd, &st) == 0 ? 0 : -errno;
    errno = saved;
    if (r < 0)
        return r;
    if (!S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    *ret_size = (u64)st.st_size;
    return 0;
}

void *os_file_map(int fd, size_t size)
{
    int saved = errno;
    void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    errno = saved;
    return p == MAP_FAILED ? NULL : p;
}

void os_file_unmap(void *at, size_t size)
{
    int saved = errno;
    munmap(at, size);
    errno = saved;
}

long os_file_read(int fd, void *to, size_t size)
{
    int saved = errno;
    long n;
    do {
        n = read(fd, to, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        n = -errno;
    errno = saved;
    return n;
}
