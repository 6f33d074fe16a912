// map.c: mappings, and giving their memory back.
//
// Every mapping of the heap comes from here and is noted in the chunk record. Tests let the n-th
// call fail to see what a program does when the kernel has no more.
#include "os/chunk.h"
#include "os/os.h"

#include <errno.h>
#include <sys/mman.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4 // Linux 5.7
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000 // Linux 4.17; older kernels take it for a hint
#endif

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

int os_move(void *from, void *to, size_t size)
{
    if (os_refused())
        return -ENOMEM;
    int saved = errno;
    // DONTUNMAP keeps `from` mapped: without it another thread's mapping could land in the hole.
    void *p = mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to);
    int r = p == to ? 0 : -errno;
    // The kernel unmaps `to` before it finds out that it cannot move (no room under RLIMIT_AS,
    // say).
    if (r < 0 && map(to, size, MAP_FIXED_NOREPLACE) != to && errno != EEXIST)
        r = -ENXIO;
    errno = saved;
    return r;
}

bool os_fence(void *at, size_t size, bool on)
{
    int saved = errno;
    bool ok = mprotect(at, size, on ? PROT_NONE : PROT_READ | PROT_WRITE) == 0;
    errno = saved;
    return ok;
}
