// vec.c: an array that owns its elements and grows.
//
// One body for all types: the macros of vec.h say how large an element is, and see to it that its
// type is right. Growing goes through the allocator's resize, which on the heap means realloc:
// large arrays are moved by moving page tables.
#include <loam/vec.h>

#include "base/base.h"

#include <errno.h>

// V1  len <= cap; at is NULL iff cap is 0.
static void check(const loam_any_vec *v)
{
    assert(v->len <= v->cap);
    assert((v->at == NULL) == (v->cap == 0));
    (void)v;
}

static char *element_at(const loam_any_vec *v, size_t i, size_t size)
{
    return (char *)v->at + i * size;
}

static bool set_cap(loam_any_vec *v, loam_layout element, size_t cap)
{
    loam_layout from = loam_layout_array(element, v->cap), to = loam_layout_array(element, cap);
    if (!loam_layout_valid(to)) {
        errno = ENOMEM;
        return false;
    }
    void *at = loam_alloc_resize(v->alloc, v->at, from, to.size);
    if (at == NULL)
        return false;
    v->at = at;
    v->cap = cap;
    return true;
}

bool loam_vec_reserve_(void *vec, loam_layout element, size_t more)
{
    loam_any_vec *v = vec;
    check(v);
    size_t need;
    if (more <= v->cap - v->len)
        return true;
    if (__builtin_add_overflow(v->len, more, &need)) {
        errno = ENOMEM;
        return false;
    }
    // Twice as much, so that n pushes copy at most 2n elements; at least a cache line. If that is
    // too much for the allocator, just what is needed.
    size_t twice = size_max(size_max(2 * v->cap, need), 64 / size_max(element.size, 1));
    return set_cap(v, element, twice) || (twice > need && set_cap(v, element, need));
}

bool loam_vec_resize_(void *vec, loam_layout element, size_t len)
{
    loam_any_vec *v = vec;
    if (len > v->len) {
        if (!loam_vec_reserve_(v, element, len - v->len))
            return false;
        memset(element_at(v, v->len, element.size), 0, (len - v->len) * element.size);
    }
    v->len = len;
    return true;
}

bool loam_vec_append_(void *vec, loam_layout element, const void *from, size_t n)
{
    loam_any_vec *v = vec;
    if (n == 0)
        return true;
    uintptr_t offset = (uintptr_t)from - (uintptr_t)v->at;
    bool own = v->at != NULL && offset < v->len * element.size; // moves along when it grows
    if (!loam_vec_reserve_(v, element, n))
        return false;
    if (own)
        from = (char *)v->at + offset;
    memmove(element_at(v, v->len, element.size), from, n * element.size);
    v->len += n;
    return true;
}

bool loam_vec_insert_(void *vec, loam_layout element, size_t i, const void *from)
{
    loam_any_vec *v = vec;
    loam_check_index(i, v->len + 1);
    if (!loam_vec_reserve_(v, element, 1))
        return false;
    char *at = element_at(v, i, element.size);
    memmove(at + element.size, at, (v->len - i) * element.size);
    memcpy(at, from, element.size);
    v->len++;
    return true;
}

void *loam_vec_pop_(void *vec, size_t size)
{
    loam_any_vec *v = vec;
    loam_check_index(0, v->len);
    return element_at(v, --v->len, size);
}

void loam_vec_remove_(void *vec, size_t size, size_t i)
{
    loam_any_vec *v = vec;
    loam_check_index(i, v->len);
    char *at = element_at(v, i, size);
    v->len--;
    memmove(at, at + size, (v->len - i) * size);
}

static void release(loam_any_vec *v, loam_layout element)
{
    loam_alloc_free(v->alloc, v->at, loam_layout_array(element, v->cap));
    v->at = NULL;
    v->len = v->cap = 0;
}

void loam_vec_shrink_(void *vec, loam_layout element)
{
    loam_any_vec *v = vec;
    check(v);
    if (v->len == 0) {
        release(v, element);
    } else if (v->len < v->cap && !set_cap(v, element, v->len)) {
        // Then it stays as it is, which is allowed.
    }
}

void loam_vec_done_(void *vec, loam_layout element, void (*drop)(void *))
{
    loam_any_vec *v = vec;
    check(v);
    for (size_t i = 0; drop != NULL && i < v->len; i++)
        drop(element_at(v, i, element.size));
    release(v, element);
}
