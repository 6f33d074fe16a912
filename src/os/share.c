// share.c: memory shared with another process, and two careful questions to the kernel.
#include "os/share.h"

#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 // Linux 4.17; older kernels take it for a hint
#endif
#define PLACES      4
#define FIRST_PLACE 300 // not where the heap and the tags went
#define ALIGN       (2 * MiB)

static int open_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : fd;
}

static void *map_file(int fd, size_t size)
{
    for (unsigned i = 0; i < PLACES; i++) {
        void *at = (void *)(os_place(FIRST_PLACE + i) & ~(uintptr_t)(ALIGN - 1));
        void *p = mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
        if (p != MAP_FAILED || errno != EEXIST)
            return p;
    }
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

int os_share_open(const char *path, size_t size, void **ret_at)
{
    int saved = errno;
    int fd = open_file(path);
    if (fd >= 0) {
        void *p = map_file(fd, size);
        int r = p == MAP_FAILED ? -errno : 0;
        close(fd);
        if (r == 0)
            *ret_at = p;
        fd = r;
    }
    errno = saved;
    return fd;
}

int os_share_grow(void *at, size_t size, size_t more)
{
    int saved = errno;
    int r = mremap(at, size, more, 0) == at ? 0 : -errno;
    errno = saved;
    return r;
}

void os_share_close(void *at, size_t size)
{
    int saved = errno;
    munmap(at, size);
    errno = saved;
}

int os_share_size(const char *path, u64 *ret_bytes)
{
    int saved = errno;
    struct stat st;
    int r = stat(path, &st) == 0 ? 0 : -errno;
    if (r == 0)
        *ret_bytes = (u64)st.st_size;
    errno = saved;
    return r;
}

// The kernel reads the word for us and says EFAULT instead of sending a signal. FUTEX_WAIT with a
// limit of nothing: nearly always the value differs and the call comes back at once. mincore and
// process_vm_readv would say it too, but a program's seccomp filter need not allow them; futex is
// what every filter must allow.
bool os_readable(const void *p)
{
    const u32 unlikely_value = 0x6d616f6c;
    const struct timespec nothing = {0, 0};
    int saved = errno;
    long r = syscall(SYS_futex, p, FUTEX_WAIT_PRIVATE, unlikely_value, &nothing, NULL, 0);
    bool faults = r < 0 && errno == EFAULT;
    errno = saved;
    return !faults;
}

// A locked mutex shows its owner. getpid and gettid would say the same, but a program that has put
// itself under a filter need not allow them.
u32 os_thread_id(void)
{
    pthread_mutex_t m = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    pthread_mutex_lock(&m);
    u32 id = (u32)m.__data.__owner;
    pthread_mutex_unlock(&m);
    return id;
}

// Only the thread whose id stands in a priority-inheritance lock may give it back.
bool os_is_thread(u32 id)
{
    int saved = errno;
    u32 word = id;
    long r = syscall(SYS_futex, &word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    bool is = r == 0;
    if (r != 0 && errno != EPERM) // a kernel without such locks
        is = (u32)syscall(SYS_gettid) == id;
    errno = saved;
    return is;
}

// Nor does a lock of the same kind wait for a thread that is not there.
bool os_thread_lives(u32 id)
{
    int saved = errno;
    u32 word = id;
    long r = syscall(SYS_futex, &word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    bool gone = r < 0 && errno == ESRCH;
    errno = saved;
    return !gone;
}
