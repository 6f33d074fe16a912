// stack.c: one reservation, guards, and how far a stack was used.
//
// MADV_GUARD_INSTALL (Linux 6.13) marks pages as faulting without a mapping of their own. Before
// that, each guard is a change of protection and splits the mapping: the kernel allows 65,530 of
// those, which is about 32,000 stacks.
#include "os/stack.h"
#include "os/os.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 // Linux 6.13
#endif

// Frames larger than the guard could step over it; compilers' -fstack-clash-protection, Debian's
// default for its packages, touches every page on the way.
#define GUARD_BYTES (16 * KiB)
#define STEP        64 // stacks that get their memory in one go: fewer calls to the kernel

static void *map(size_t size, int prot)
{
    int saved = errno;
    void *p = os_refused()
                  ? MAP_FAILED
                  : mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    errno = saved;
    return p == MAP_FAILED ? NULL : p;
}

static void unmap(void *p, size_t size)
{
    int saved = errno;
    munmap(p, size);
    errno = saved;
}

void *stack_table(size_t size)
{
    return map(size, PROT_READ | PROT_WRITE);
}

void stack_table_free(void *p, size_t size)
{
    unmap(p, size);
}

int stacks_reserve(struct stacks *s, u32 max, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t guard = round_up(GUARD_BYTES, page);
    if (size > PTRDIFF_MAX / 2 || max == 0)
        return -ENOMEM;
    size_t slot = guard + round_up(size, page);
    for (; max != 0; max /= 2) {
        size_t bytes;
        if (__builtin_mul_overflow(slot, max, &bytes) || bytes > PTRDIFF_MAX)
            continue;
        char *base = map(bytes, PROT_NONE);
        if (base == NULL)
            continue;
        // Without this one touched byte could cost 2 MiB.
        madvise(base, bytes, MADV_NOHUGEPAGE);
        *s = (struct stacks){.base = base, .slot = slot, .guard = guard, .max = max};
        return 0;
    }
    return -ENOMEM;
}

void stacks_release(struct stacks *s)
{
    unmap(s->base, s->slot * s->max);
    *s = (struct stacks){0};
}

static bool guard_set(struct stacks *s, u32 i)
{
    char *at = s->base + i * s->slot;
    if (!s->by_pages && madvise(at, s->guard, MADV_GUARD_INSTALL) == 0)
        return true;
    s->by_pages = true;
    return mprotect(at, s->guard, PROT_NONE) == 0;
}

int stacks_prepare(struct stacks *s, u32 i)
{
    if (likely(i < s->ready))
        return 0;
    assert(i == s->ready);
    if (i >= s->max || os_refused())
        return -ENOMEM;
    int saved = errno;
    u32 n = (u32)size_min(STEP, s->max - i);
    if (mprotect(s->base + i * s->slot, n * s->slot, PROT_READ | PROT_WRITE) == 0)
        while (n-- != 0 && guard_set(s, s->ready))
            s->ready++;
    errno = saved;
    return i < s->ready ? 0 : -ENOMEM; // K1
}

bool stacks_in_guard(const struct stacks *s, const void *p, u32 *ret)
{
    size_t offset = (uintptr_t)p - (uintptr_t)s->base;
    if (offset >= s->slot * s->max || offset % s->slot >= s->guard)
        return false;
    *ret = (u32)(offset / s->slot);
    return true;
}

size_t stacks_touched(const struct stacks *s, u32 i)
{
    enum { AT_ONCE = 256 };
    unsigned char present[AT_ONCE];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *low = stacks_low(s, i), *top = low + stacks_size(s);
    int saved = errno;
    size_t touched = 0;
    for (char *at = low; at < top && touched == 0; at += AT_ONCE * page) {
        size_t n = size_min(AT_ONCE, (size_t)(top - at) / page);
        if (syscall(SYS_mincore, at, n * page, present) != 0)
            break;
        for (size_t k = 0; k < n && touched == 0; k++)
            if (present[k] & 1)
                touched = (size_t)(top - at) - k * page;
    }
    errno = saved;
    return touched;
}
