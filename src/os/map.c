// map.c: mappings, and giving their memory back.
//
// Every mapping of the heap comes from here and is noted in the chunk record. Tests let the n-th
// call fail to see what a program does when the kernel has no more.
#include "os/chunk.h"
#include "os/os.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4 // Linux 5.7
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 // Linux 4.17; older kernels take it for a hint
#endif

#define MOVE_PIECES_MAX 4 // of more mappings, copying is no slower

_Atomic long os_fail_after;

bool os_refused(void)
{
    long n = atomic_load_explicit(&os_fail_after, memory_order_relaxed);
    if (likely(n == 0))
        return false;
    if (n == 1)
        return true;
    atomic_store_explicit(&os_fail_after, n - 1, memory_order_relaxed);
    return false;
}

static void *map(void *at, size_t size, int flags)
{
    if (os_refused()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

void *os_map(size_t size)
{
    int saved = errno;
    void *p = map(NULL, size, 0);
    errno = saved;
    if (p == MAP_FAILED)
        return NULL;
    chunk_note(p, size);
    return p;
}

int os_map_at(void *at, size_t size)
{
    int saved = errno;
    int r = 0;
    void *p = map(at, size, MAP_FIXED_NOREPLACE);
    if (p == MAP_FAILED) {
        r = -errno;
    } else if (p != at) { // a kernel that took `at` for a hint
        munmap(p, size);
        r = -EEXIST;
    } else {
        chunk_note(p, size);
    }
    errno = saved;
    return r;
}

void os_unmap(void *at, size_t size)
{
    int saved = errno;
    chunk_forget(at, size); // first: afterwards the addresses may be another thread's
    munmap(at, size);
    errno = saved;
}

int os_purge(void *at, size_t size)
{
    int saved = errno;
    // MADV_DONTNEED, not MADV_FREE: people watch RSS. It fails on locked memory, whose old bytes
    // then stay.
    int r = madvise(at, size, MADV_DONTNEED) == 0 ? 0 : -errno;
    errno = saved;
    return r;
}

void os_want_huge(void *at, size_t size)
{
    int saved = errno;
    madvise(at, size, MADV_HUGEPAGE);
    errno = saved;
}

// Is [from, from + size) more than one of the kernel's mappings? Only then EFAULT is why it cannot
// grow in place; that it could, into a hole behind it, is undone. (To ask for the size that it has
// succeeds across mappings from Linux 6.17 on.)
static bool is_divided(char *from, size_t size)
{
    size_t unit = os_page_size();
    if (mremap(from, size, size + unit, 0) == MAP_FAILED)
        return errno == EFAULT;
    munmap(from + size, unit);
    return false;
}

// How much of [from, from + size) is one mapping. Moves before have left the boundaries.
static size_t one_mapping(char *from, size_t size)
{
    size_t unit = os_page_size(), low = 0, high = size / unit; // low units are, high ones are not
    if (!is_divided(from, size))
        return size;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (is_divided(from, mid * unit))
            high = mid;
        else
            low = mid;
    }
    return low * unit;
}

static int move_one(char *from, char *to, size_t size)
{
    // DONTUNMAP keeps `from` mapped: without it another thread's mapping could land in the hole.
    void *p = mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to);
    if (p == to)
        return 0;
    int r = -errno;
    // The kernel unmaps `to` before it finds out that it cannot move (no room under RLIMIT_AS,
    // say).
    if (map(to, size, MAP_FIXED_NOREPLACE) != to && errno != EEXIST)
        r = -ENXIO;
    return r;
}

// Kernels before 6.17 refuse to move two mappings at once; later ones do it, but if they fail at
// the second one they do not say that the first has moved. So they are moved one by one.
int os_move(void *from, void *to, size_t size)
{
    if (os_refused())
        return -ENOMEM;
    int saved = errno;
    int r = 0, pieces = 0;
    size_t done = 0;
    while (done < size && r == 0) {
        size_t n = pieces < MOVE_PIECES_MAX ? one_mapping((char *)from + done, size - done) : 0;
        r = n > 0 ? move_one((char *)from + done, (char *)to + done, n) : -EFAULT;
        pieces += r == 0;
        done += r == 0 ? n : 0;
    }
    if (r < 0)
        memcpy(from, to, done);
    errno = saved;
    return r < 0 ? r : pieces;
}

bool os_fence(void *at, size_t size, bool on)
{
    int saved = errno;
    bool ok = mprotect(at, size, on ? PROT_NONE : PROT_READ | PROT_WRITE) == 0;
    errno = saved;
    return ok;
}
