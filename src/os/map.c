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

int os_map_unnoted(void *at, size_t size)
{
    int saved = errno;
    int r = 0;
    void *p = map(at, size, MAP_FIXED_NOREPLACE);
    if (p == MAP_FAILED) {
        r = -errno;
    } else if (p != at) { // a kernel that took `at` for a hint
        munmap(p, size);
        r = -EEXIST;
    }
    errno = saved;
    return r;
}

int os_map_at(void *at, size_t size)
{
    int r = os_map_unnoted(at, size);
    if (r == 0)
        chunk_note(at, size);
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

void os_undumped(void *at, size_t size)
{
    int saved = errno;
    size_t unit = os_page_size();
    char *from = (char *)round_up((uintptr_t)at, unit);
    char *to = (char *)(((uintptr_t)at + size) & ~(unit - 1));
    if (from < to)
        madvise(from, (size_t)(to - from), MADV_DONTDUMP);
    errno = saved;
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 // Linux 5.14
#endif
void os_touch(void *at, size_t size)
{
    int saved = errno;
    madvise(at, size, MADV_POPULATE_WRITE); // refused: then each page costs a fault, as ever
    errno = saved;
}

// Bytes from `at` up to the first OS page that nothing is mapped at; `size` when there is none.
static size_t until_hole(char *at, size_t size)
{
    unsigned char present[64];
    size_t unit = os_page_size(), done = 0;
    while (done < size) {
        size_t n = size_min(size - done, countof(present) * unit);
        if (mincore(at + done, n, present) == 0)
            done += n;
        else if (n > unit && mincore(at + done, unit, present) == 0)
            done += unit;
        else
            break;
    }
    return done;
}

// Fill the hole at `at`, page by page up to what is mapped behind it. False when somebody else's
// mapping has landed there.
static bool fill_hole(char *at, size_t size)
{
    size_t unit = os_page_size(), done = 0;
    while (done < size && map(at + done, unit, MAP_FIXED_NOREPLACE) == at + done)
        done += unit;
    return done > 0;
}

// Moves before have left boundaries between mappings in the block. Kernels before 6.17 refuse to
// move two at once. Later ones move them one after the other, and if they fail at the second one
// they do not say that the first has moved; but each one's place is unmapped just before it comes,
// so what has moved ends where the first hole is.
int os_move(void *from, void *to, size_t size)
{
    if (os_refused())
        return -ENOMEM;
    int saved = errno;
    // DONTUNMAP keeps `from` mapped: without it another thread's mapping could land in the hole.
    void *p = mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to);
    int r = p == to ? 0 : -errno;
    if (r < 0) {
        size_t moved = until_hole(to, size);
        if (moved < size) { // else it was refused before anything was done
            memcpy(from, to, moved);
            r = fill_hole((char *)to + moved, size - moved) ? r : -ENXIO;
        }
    }
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
