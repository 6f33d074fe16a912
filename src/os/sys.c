// sys.c: time, chance and waiting.
#include "os/os.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

size_t os_page_size(void)
{
    size_t size = getauxval(AT_PAGESZ);
    return size != 0 ? size : OS_PAGE;
}

u64 os_random(void)
{
    u64 v = 0;
    const void *kernel = (const void *)getauxval(AT_RANDOM); // 16 bytes, new at each exec
    if (kernel != NULL)
        memcpy(&v, kernel, sizeof v);
    v ^= (u64)(uintptr_t)&v; // differs in a static program without auxv too
    v *= 0x9e3779b97f4a7c15u;
    return v ^ v >> 29;
}

// Between the mappings of position-independent programs and the low end that AddressSanitizer keeps
// for itself. ThreadSanitizer leaves the first 512 GiB to programs, and ends one that maps
// elsewhere.
uintptr_t os_place(unsigned attempt)
{
    u64 low = under_tsan ? 64 * GiB : 18 * TiB;
    u64 range = under_tsan ? 256 * GiB : 60 * TiB;
    u64 x = os_random() + attempt * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    return low + (x >> 16) % range;
}

static long futex(_Atomic u32 *word, int op, u32 value, const struct timespec *limit)
{
    int saved = errno;
    long r = syscall(SYS_futex, word, op, value, limit, NULL, 0);
    errno = saved;
    return r;
}

// A short sleep by futex, not sched_yield: programs under a seccomp filter that allows what an
// allocator needs (mmap, munmap, mprotect, madvise, mremap, futex) would die of anything else.
void os_yield(void)
{
    static _Atomic u32 never;
    const struct timespec moment = {0, 1000};
    futex(&never, FUTEX_WAIT, 0, &moment);
}

// Not FUTEX_PRIVATE: the words that we wait on lie in memory shared with another process.
void os_wait(_Atomic u32 *word, u32 value, u32 ms)
{
    struct timespec limit = {ms / 1000, (long)(ms % 1000) * 1000000};
    futex(word, FUTEX_WAIT, value, &limit);
}

void os_wake(_Atomic u32 *word)
{
    futex(word, FUTEX_WAKE, INT_MAX, NULL);
}

void os_wake_one(_Atomic u32 *word)
{
    futex(word, FUTEX_WAKE, 1, NULL);
}

static u64 clock_ns(clockid_t clock)
{
    struct timespec t = {0};
    clock_gettime(clock, &t); // vDSO: no system call
    return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

u64 os_coarse_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC_COARSE) / 1000000;
}

u64 os_realtime_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

u64 os_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

u64 os_cpu_ns(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}
