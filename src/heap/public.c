// public.c: the heap under loam's own names (loam/heap.h).
#include "heap/background.h"
#include "heap/census.h"
#include "heap/fast.h"

#include <errno.h>
#include <loam/heap.h>
#include <string.h>

void *loam_malloc(size_t size)
{
    return heap_malloc(size, KIND_MALLOC);
}

void loam_free(void *p)
{
    heap_free_fast(p, KIND_MALLOC);
}

void *loam_calloc(size_t n, size_t size)
{
    size_t bytes;
    if (unlikely(__builtin_mul_overflow(n, size, &bytes))) {
        errno = ENOMEM;
        return NULL;
    }
    // Blocks this small are cleared even where they are zero (refill.c).
    void *p;
    if (likely(heap_malloc_try(bytes, &p)))
        return memset(p, 0, bytes);
    return heap_malloc_slow(bytes, true, KIND_MALLOC);
}

void *loam_realloc(void *p, size_t size)
{
    if (p == NULL)
        return heap_malloc(size, KIND_MALLOC);
    if (size == 0) {
        heap_free_fast(p, KIND_MALLOC);
        return NULL;
    }
    return the.ops != NULL ? the.ops->realloc(p, size) : heap_realloc(p, size, NULL);
}

void *loam_aligned_alloc(size_t align, size_t size)
{
    if (!is_pow2(align)) {
        errno = EINVAL;
        return NULL;
    }
    return the.ops != NULL ? the.ops->alloc(size, align, false, KIND_ALIGNED)
                           : heap_alloc(size, align, false);
}

size_t loam_usable_size(const void *p)
{
    if (p == NULL)
        return 0;
    return the.ops != NULL ? the.ops->usable(p) : heap_usable(p);
}

size_t loam_trim(size_t keep)
{
    return heap_trim(keep);
}

loam_heap_stats loam_heap_usage(void)
{
    struct pages_usage u;
    pages_usage(&u);
    return (loam_heap_stats){.live_bytes = u.live, .dirty_bytes = u.dirty};
}

bool loam_heap_figure(const char *name, uint64_t *ret_value)
{
    struct census c;
    census_take(&c);
    return census_read(&c, name, ret_value);
}

bool loam_heap_figure_name(size_t i, char ret_name[LOAM_FIGURE_NAME])
{
    static_assert(LOAM_FIGURE_NAME == CENSUS_NAME_MAX, "one length");
    return census_name(i, ret_name);
}

bool loam_background(bool on)
{
    return on ? background_start() : background_stop();
}
