// new.c: C++'s operators new and delete, of every kind, under their mangled names.
//
// A throwing operator that finds no memory calls the program's new_handler until there is some or
// there is no handler, then throws std::bad_alloc. Handler and exception belong to libstdc++ (or
// libc++), which is there if a C++ program is: found by name at run time, so that C programs need
// no C++ library.
#include "heap/fast.h"

#include <dlfcn.h>
#include <stdlib.h>

typedef void (*handler)(void);

static void *find(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

// What to do when there is no memory: true to try again. std::get_new_handler.
static bool try_again(void)
{
    handler (*get)(void) = (handler(*)(void))find("_ZSt15get_new_handlerv");
    handler h = get != NULL ? get() : NULL;
    if (h == NULL)
        return false;
    h(); // may throw
    return true;
}

static noreturn_ void throw_bad_alloc(void)
{
    void (*throw)(void) = (void (*)(void))find("_ZSt17__throw_bad_allocv");
    if (throw != NULL)
        throw();
    die("new: out of memory, and no C++ library to throw bad_alloc", NULL);
}

static void *alloc(size_t size, size_t align, int kind)
{
    if (the.ops != NULL)
        return the.ops->alloc(size, align, false, kind);
    return heap_alloc(size, align, false);
}

static noinline_ void *again(size_t size, size_t align, int kind, bool may_throw)
{
    void *p;
    do {
        p = alloc(size, align, kind);
    } while (p == NULL && try_again());
    if (p == NULL && may_throw)
        throw_bad_alloc();
    return p;
}

// A handler may throw, and a nothrow operator swallows that, which C cannot do. The C++ library's
// own operator of the same name can: it calls the throwing one, which is ours, and catches.
static noinline_ void *again_nothrow(const char *name, size_t size, size_t align, int kind,
                                     const void *tag)
{
    void *p = alloc(size, align, kind);
    if (likely(p != NULL))
        return p;
    void *theirs = dlsym(RTLD_NEXT, name);
    if (theirs == NULL)
        return again(size, align, kind, false);
    if (align == 0)
        return ((void *(*)(size_t, const void *))theirs)(size, tag);
    return ((void *(*)(size_t, size_t, const void *))theirs)(size, align, tag);
}

static noinline_ void *new_slow(size_t size, int kind)
{
    void *p = heap_malloc(size, kind);
    return likely(p != NULL) ? p : again(size, 0, kind, true);
}

static always_inline_ void *new_block(size_t size, int kind)
{
    void *p;
    return likely(heap_malloc_try(size, &p)) ? p : new_slow(size, kind);
}

// Names: w new, a new[]; m size_t; St11align_val_t; RKSt9nothrow_t.
#define NEW(name, kind)                                                                            \
    export_ void *_Zn##name##m(size_t size);                                                       \
    export_ void *_Zn##name##m(size_t size)                                                        \
    {                                                                                              \
        return new_block(size, kind);                                                              \
    }                                                                                              \
    export_ void *_Zn##name##mRKSt9nothrow_t(size_t size, void *tag);                              \
    export_ void *_Zn##name##mRKSt9nothrow_t(size_t size, void *tag)                               \
    {                                                                                              \
        void *p = heap_malloc(size, kind);                                                         \
        if (likely(p != NULL))                                                                     \
            return p;                                                                              \
        return again_nothrow("_Zn" #name "mRKSt9nothrow_t", size, 0, kind, tag);                   \
    }                                                                                              \
    export_ void *_Zn##name##mSt11align_val_t(size_t size, size_t align);                          \
    export_ void *_Zn##name##mSt11align_val_t(size_t size, size_t align)                           \
    {                                                                                              \
        return again(size, align, kind, true);                                                     \
    }                                                                                              \
    export_ void *_Zn##name##mSt11align_val_tRKSt9nothrow_t(size_t size, size_t align, void *tag); \
    export_ void *_Zn##name##mSt11align_val_tRKSt9nothrow_t(size_t size, size_t align, void *tag)  \
    {                                                                                              \
        return again_nothrow("_Zn" #name "mSt11align_val_tRKSt9nothrow_t", size, align, kind,      \
                             tag);                                                                 \
    }

#define DELETE(name, kind, ...)                     \
    export_ void _Zd##name(void *p, ##__VA_ARGS__); \
    export_ void _Zd##name(void *p, ##__VA_ARGS__)  \
    {                                               \
        heap_free_fast(p, kind);                    \
    }

NEW(w, KIND_NEW)
NEW(a, KIND_NEW_ARRAY)

#define DELETES(name, kind)                                                           \
    DELETE(name##Pv, kind)                                                            \
    DELETE(name##Pvm, kind, size_t size unused_)                                      \
    DELETE(name##PvRKSt9nothrow_t, kind, void *tag unused_)                           \
    DELETE(name##PvSt11align_val_t, kind, size_t align unused_)                       \
    DELETE(name##PvmSt11align_val_t, kind, size_t size unused_, size_t align unused_) \
    DELETE(name##PvSt11align_val_tRKSt9nothrow_t, kind, size_t align unused_, void *tag unused_)

DELETES(l, KIND_NEW)
DELETES(a, KIND_NEW_ARRAY)
