// malloc.c: the libc names. One line each: the heap does the work.
//
// Edges follow glibc where the standards leave room: malloc(0) is a unique block, realloc(p, 0)
// frees and returns NULL, free keeps errno, a request over PTRDIFF_MAX fails with ENOMEM.
#include "heap/fast.h"

#include <errno.h>
#include <loam/heap.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static always_inline_ void *alloc(size_t size, size_t align, bool zero, int kind)
{
    if (the.ops != NULL)
        return the.ops->alloc(size, align, zero, kind);
    return heap_alloc(size, align, zero);
}

export_ void *malloc(size_t size)
{
    return heap_malloc(size, KIND_MALLOC);
}

export_ void free(void *p)
{
    heap_free_fast(p, KIND_MALLOC);
}

export_ void *calloc(size_t n, size_t size)
{
    return loam_calloc(n, size);
}

export_ void *realloc(void *p, size_t size)
{
    return loam_realloc(p, size);
}

export_ void *reallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;
    if (unlikely(__builtin_mul_overflow(n, size, &bytes))) {
        errno = ENOMEM;
        return NULL;
    }
    return loam_realloc(p, bytes);
}

// ---------------------------------------------------------------- aligned

export_ void *aligned_alloc(size_t align, size_t size)
{
    return loam_aligned_alloc(align, size);
}

// glibc rounds an alignment that is no power of two up to the next one.
export_ void *memalign(size_t align, size_t size)
{
    if (align > PTRDIFF_MAX / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    size_t a = 16;
    while (a < align)
        a *= 2;
    return alloc(size, a, false, KIND_ALIGNED);
}

export_ int posix_memalign(void **ret_p, size_t align, size_t size)
{
    if (!is_pow2(align) || align % sizeof(void *) != 0)
        return EINVAL;
    int saved = errno; // POSIX: the result tells, errno does not change
    void *p = alloc(size, align, false, KIND_ALIGNED);
    errno = saved;
    if (p == NULL)
        return ENOMEM;
    *ret_p = p;
    return 0;
}

export_ void *valloc(size_t size)
{
    return alloc(size, (size_t)sysconf(_SC_PAGESIZE), false, KIND_ALIGNED);
}

export_ void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > PTRDIFF_MAX - page) {
        errno = ENOMEM;
        return NULL;
    }
    return alloc(round_up(size_max(size, 1), page), page, false, KIND_ALIGNED);
}

// ---------------------------------------------------------------- the rest of malloc.h

export_ size_t malloc_usable_size(void *p)
{
    return loam_usable_size(p);
}

// C23.
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t align, size_t size);
export_ void free_sized(void *p, size_t size unused_)
{
    heap_free_fast(p, KIND_MALLOC);
}
export_ void free_aligned_sized(void *p, size_t align unused_, size_t size unused_)
{
    heap_free_fast(p, KIND_ALIGNED);
}

// Gone from glibc since 2.26, still called by old binaries.
void cfree(void *p);
export_ void cfree(void *p)
{
    heap_free_fast(p, KIND_MALLOC);
}

export_ int malloc_trim(size_t pad)
{
    return heap_trim(pad) > 0;
}

// glibc's knobs have no counterpart here; programs that turn them must not fail.
export_ int mallopt(int param unused_, int value unused_)
{
    return 1;
}
