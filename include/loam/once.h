// once.h: initialise once, from whatever thread comes first.
//
// The first caller runs the initialiser; others wait until it is done, and see what it did. Use it
// for tables and connections that are made when they are first needed. What can be a constant
// should be one.
//
//     #include <loam/once.h>
//     #include <stdio.h>
//     static int fill(int *table) { for (int i = 0; i < 10; i++) table[i] = i * i; return 0; }
//     struct squares { int of[10]; };
//     static int squares_init(struct squares *s) { return fill(s->of); }
//     static loam_lazy(struct squares) squares;       // all zero: not made yet
//     int main(void)
//     {
//         struct squares *s = loam_lazy_get(&squares, squares_init);
//         if (s != NULL) printf("%d\n", s->of[5]);
//     }
//
// An initialiser may fail: then nothing is done, its error is the caller's, and the next caller
// tries again. One that needs itself ends the program: "once: the initialiser needs itself". A
// thread that ends inside an initialiser leaves the others waiting. Not for signal handlers. Once
// it is done a call costs one load.
#ifndef LOAM_ONCE_H
#define LOAM_ONCE_H

#include <loam/attr.h>
#include <stddef.h>
#include <stdint.h>

LOAM_BEGIN_C

// All zero: not done yet.
typedef struct loam_once {
    uint32_t state;
    uintptr_t runner; // the thread that is inside the initialiser
} loam_once;
#define LOAM_ONCE_DONE_ 2

LOAM_API int loam_once_slow_(loam_once *once, int (*init)(void *), void *arg);

// Call init(arg), unless a call of it succeeded before. `init` returns 0, or a negative error
// (-ENOMEM), which is returned here; then it is not done. When this returns 0, everything that
// init wrote is seen by the caller.
static inline int loam_once_run(loam_once *once, int (*init)(void *), void *arg)
{
    // Acquire: pairs with the release at the end of loam_once_slow_.
    if (__builtin_expect(__atomic_load_n(&once->state, __ATOMIC_ACQUIRE) == LOAM_ONCE_DONE_, 1))
        return 0;
    return loam_once_slow_(once, init, arg);
}

// A value that is made at its first use.
#define loam_lazy(T)    \
    struct {            \
        loam_once once; \
        T value;        \
    }

// As loam_once_run; NULL with errno set when the initialiser failed.
LOAM_API void *loam_lazy_get_(loam_once *once, int (*init)(void *), size_t value_offset);

#ifndef __cplusplus // C++ has static variables in functions
// Its value's address, made by init(T *) if need be; NULL, with errno set, when init failed. An
// initialiser of another type is an error.
#define loam_lazy_get(lazy, init)                            \
    ((__typeof__(&(lazy)->value))loam_lazy_get_(             \
        &(lazy)->once,                                       \
        _Generic((init), int (*)(__typeof__(&(lazy)->value)) \
                 : (int (*)(void *))(init)),                 \
        offsetof(__typeof__(*(lazy)), value)))
#endif

LOAM_END_C

#endif
