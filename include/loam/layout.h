// layout.h: the size and the alignment of memory that is to be allocated.
//
// malloc(n * sizeof(T)) overflows in silence, and a struct with a tail of its own needs arithmetic
// that is easy to get wrong. A layout is that arithmetic, checked: build it from types, multiply
// it, put fields behind each other, then allocate by it (alloc.h). Nothing here allocates.
//
//     size_t names;                                    // a header, and behind it 1000 doubles
//     loam_layout l = loam_layout_of(int);
//     l = loam_layout_extend(l, loam_layout_array(loam_layout_of(double), 1000), &names);
//     l = loam_layout_pad(l);
//     printf("%zu bytes, doubles from %zu\n", l.size, names);
//
// A layout that cannot be (an overflow, an alignment that is no power of two) is not valid; what
// is made from one is not valid either, and an allocation by one fails. So a chain of steps needs
// no check between them. All functions may be called from anywhere; they cost a few instructions.
#ifndef LOAM_LAYOUT_H
#define LOAM_LAYOUT_H

#include <loam/attr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define LOAM_ALIGNOF(T) alignof(T)
#else
#define LOAM_ALIGNOF(T) _Alignof(T)
#endif

// What the macros that make a T from a list of values are made of: the values, once; then memory
// for it by `allocate`, which may be NULL; then the T in it. Assigned rather than copied as bytes:
// compilers then write each member where it belongs, without a detour over the stack.
#ifndef __cplusplus
__attribute__((warn_unused_result, unused)) static inline void *loam_made_(void *p)
{
    return p;
}
#define LOAM_MAKE_(n, allocate, T, ...)                           \
    ((__typeof__(T) *)loam_made_(__extension__({                  \
        __typeof__(T) loam_value_##n = {__VA_ARGS__};             \
        __typeof__(T) *loam_at_##n = (__typeof__(T) *)(allocate); \
        if (loam_at_##n != NULL)                                  \
            *loam_at_##n = loam_value_##n;                        \
        loam_at_##n;                                              \
    })))
#define LOAM_NEW_N_(n, allocate, ...) LOAM_MAKE_(n, allocate, __VA_ARGS__) // n is a number by now
#endif

typedef struct loam_layout {
    size_t size;  // bytes, at most PTRDIFF_MAX
    size_t align; // a power of two; 0 in a layout that is not valid
} loam_layout;

static inline bool loam_layout_valid(loam_layout l)
{
    return l.align != 0;
}

// The layout of `size` bytes aligned to `align`. Not valid if that cannot be.
static inline loam_layout loam_layout_make(size_t size, size_t align)
{
    loam_layout l = {0, 0};
    bool power = align != 0 && (align & (align - 1)) == 0;
    if (power && align <= (size_t)PTRDIFF_MAX && size <= (size_t)PTRDIFF_MAX) {
        l.size = size;
        l.align = align;
    }
    return l;
}

// The layout of one object of type T.
#define loam_layout_of(T) loam_layout_make(sizeof(T), LOAM_ALIGNOF(T))

// `l` with its size rounded up to its alignment, as the elements of an array and the compiler's
// structs have it. Do this last.
static inline loam_layout loam_layout_pad(loam_layout l)
{
    size_t mask = l.align == 0 ? 0 : l.align - 1;
    return loam_layout_make((l.size + mask) & ~mask, l.align);
}

// `n` objects of layout `element` in a row, each padded.
static inline loam_layout loam_layout_array(loam_layout element, size_t n)
{
    size_t size;
    loam_layout padded = loam_layout_pad(element);
    if (__builtin_mul_overflow(padded.size, n, &size))
        size = SIZE_MAX;
    return loam_layout_make(size, padded.align);
}

// `l` with a `field` behind what is there, as a compiler lays out the next member of a struct.
// Its offset goes to *ret_offset, which may be NULL and is written only if the result is valid.
static inline loam_layout loam_layout_extend(loam_layout l, loam_layout field, size_t *ret_offset)
{
    size_t mask = field.align - 1;
    if (!loam_layout_valid(l) || !loam_layout_valid(field))
        return loam_layout_make(0, 0);
    size_t at = (l.size + mask) & ~mask;
    loam_layout both = loam_layout_make(at, l.align > field.align ? l.align : field.align);
    if (loam_layout_valid(both))
        both = loam_layout_make(at + field.size, both.align);
    if (loam_layout_valid(both) && ret_offset != NULL)
        *ret_offset = at;
    return both;
}

#endif
