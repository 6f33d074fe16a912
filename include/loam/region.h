// region.h: memory that is freed all at once.
//
// A region is a growing stretch of memory and a cursor. Pushing moves the cursor; nothing is freed
// alone. Use one wherever many objects die together: a request, a frame, a parse. Do not use one
// when objects must be given back singly: see pool.h.
//
//     struct node { int x; struct node *next; };
//     loam_scratch(tmp);                                     // closed at the end of the scope
//     struct node *n = loam_new(&tmp, struct node, .x = 1);  // typed, aligned, the rest zero
//     char *text = loam_printf(&tmp, "node %d", n->x);
//     loam_region_mark here = loam_region_save(&tmp);
//     int *a = loam_new_array(&tmp, int, 1000);              // zeroed; overflow is checked
//     loam_region_restore(&tmp, here);                       // `a` is gone, `n` and `text` stay
//     if (text != NULL) puts(text);
//     (void)a;
//
// A region belongs to one thread at a time. It is seen in reports under its name (owner.h). It
// must not be moved or copied while it holds memory, because the registry and its children point
// at it. Not for signal handlers. A scratch region is closed when its scope is left by falling
// out, return, break, goto, and by a C++ exception; by pthread_exit and cancellation if the code
// is compiled with -fexceptions; never by longjmp or exit: it then leaks, and stays registered on
// a stack that is gone, so do not longjmp over one (give the region a longer life instead).
//
// Always told, by one line and SIGABRT: use after the region was closed as soon as it needs
// memory, closing it twice, and a restore to a mark that is not there any more.
#ifndef LOAM_REGION_H
#define LOAM_REGION_H

#include <loam/alloc.h>
#include <loam/owner.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

LOAM_BEGIN_C

// A clean-up to be run. In the region's memory, or embedded in a child.
typedef struct loam_cleanup {
    struct loam_cleanup *next, *prev; // next is the older one
    void (*run)(void *arg);
    void *arg;
    size_t number; // counts up in a region
} loam_cleanup;

// All zero is a region without a name that has no memory yet. Nothing in it is for you.
typedef struct loam_region {
    char *at;  // the cursor
    char *end; // of the current block
    struct loam_region_block *block, *spare;
    loam_cleanup *cleanups; // newest first
    size_t numbers;         // of clean-ups and blocks so far
    size_t below;           // bytes pushed in older blocks
    size_t held, limit;     // bytes taken from the allocator; 0 = no limit
    size_t used_max, resets;
    loam_alloc alloc;
    struct loam_region *parent;
    loam_cleanup in_parent;
    const char *name, *place;
    int state;
    struct loam_region_object *objects; // LOAM=debug=on: the newest
    loam_owner_link owner;
} loam_region;

// A point in the life of a region to which it can be cut back.
typedef struct loam_region_mark {
    struct loam_region_block *block;
    char *at;
    size_t block_number, cleanup_number;
    struct loam_region_object *objects;
} loam_region_mark;

// ---------------------------------------------------------------- life cycle

// Make `r` an empty region called `name` (kept by reference; a string literal as a rule), made at
// `place` (LOAM_HERE). Takes no memory until the first push. Cost: constant.
LOAM_API void loam_region_init_at(loam_region *r, const char *name, const char *place)
    LOAM_NONNULL(1);
#define loam_region_init(r, name) loam_region_init_at(r, name, LOAM_HERE)

// The same, with its blocks from `alloc`.
LOAM_API void loam_region_init_in_at(loam_region *r, loam_alloc alloc, const char *name,
                                     const char *place) LOAM_NONNULL(1);
#define loam_region_init_in(r, alloc, name) loam_region_init_in_at(r, alloc, name, LOAM_HERE)

// The same as a child: it is closed by its parent at the latest, when that is closed, cleared or
// restored to a mark from before; children and clean-ups go newest first. The child's own struct
// may lie in the parent. Its memory comes from the parent's allocator, not from the parent.
LOAM_API void loam_region_init_child_at(loam_region *r, loam_region *parent, const char *name,
                                        const char *place) LOAM_NONNULL(1, 2);
#define loam_region_init_child(r, parent, name) \
    loam_region_init_child_at(r, parent, name, LOAM_HERE)

// Run the clean-ups, newest first, and give all memory back. Every pointer into the region is
// dead. NULL and a zeroed region are allowed, and one that its parent has closed already.
LOAM_API void loam_region_done(loam_region *r);

// The same, but the region stays usable and keeps its largest block: for loops that fill and empty
// one again and again.
LOAM_API void loam_region_clear(loam_region *r) LOAM_NONNULL(1);

// At most `bytes` are taken from the allocator from now on; 0 means no limit. Pushes past it fail.
LOAM_API void loam_region_set_limit(loam_region *r, size_t bytes) LOAM_NONNULL(1);

// A region that lives as long as the scope in which it stands.
static inline loam_region loam_region_open_(const char *name, const char *place)
{
    loam_region r;
    loam_region_init_at(&r, name, place);
    return r;
}
#define loam_scratch(variable)                                        \
    __attribute__((cleanup(loam_region_done))) loam_region variable = \
        loam_region_open_(#variable, LOAM_HERE)

// ---------------------------------------------------------------- use

LOAM_API LOAM_NONNULL(1) void *loam_region_push_slow_(loam_region *r, size_t size, size_t align,
                                                      const char *made);

// Push `size` bytes aligned to `align` (a power of two), not initialised. Constant time.
// Returns borrowed memory, valid until the region is restored below this point, cleared or done;
// NULL with errno ENOMEM when there is no memory or the limit is reached, EINVAL when `align` is
// no power of two. Pointers pushed earlier never move. A size of 0 takes one byte.
LOAM_SIZE(2)
LOAM_NONNULL(1)
static inline void *loam_region_push_made_(loam_region *r, size_t size, size_t align,
                                           const char *made)
{
    size_t room = (size_t)(r->end - r->at);
    size_t pad = -(size_t)r->at & (align - 1);
    bool power = align != 0 && (align & (align - 1)) == 0;
    if (__builtin_expect(!power || pad >= room || size - 1 >= room - pad, 0))
        return loam_region_push_slow_(r, size, align, made);
    void *p = r->at + pad;
    r->at += pad + size;
    return p;
}
LOAM_SIZE(2)
LOAM_NONNULL(1) static inline void *loam_region_push_raw(loam_region *r, size_t size, size_t align)
{
    return loam_region_push_made_(r, size, align, NULL);
}

// The same, zeroed.
LOAM_SIZE(2)
LOAM_NONNULL(1) static inline void *loam_region_push(loam_region *r, size_t size, size_t align)
{
    void *p = loam_region_push_raw(r, size, align);
    return p == NULL ? NULL : memset(p, 0, size);
}

// A copy of `size` bytes at `from`; of a string; of its first `n` bytes, terminated.
static inline void *loam_region_copy(loam_region *r, const void *from, size_t size, size_t align)
{
    void *p = loam_region_push_raw(r, size, align);
    return p == NULL ? NULL : memcpy(p, from, size);
}
static inline void *loam_region_new_array_(loam_region *r, loam_layout l, const char *made)
{
    void *p = loam_region_push_made_(r, l.size, l.align, made);
    return p == NULL ? NULL : memset(p, 0, l.size);
}
static inline char *loam_region_text(loam_region *r, const char *text)
{
    return (char *)loam_region_copy(r, text, strlen(text) + 1, 1);
}
LOAM_API char *loam_region_text_n(loam_region *r, const char *text, size_t n) LOAM_NONNULL(1);

// Memory for an array by layout, zeroed; NULL with EINVAL for a layout that is not valid.
static inline void *loam_region_push_layout(loam_region *r, loam_layout l)
{
    return loam_region_push(r, l.size, l.align);
}

#ifndef __cplusplus // loam.hpp has these for C++
// A T in the region, given as in an initialiser; what is not named is zero. The T must be one that
// can be assigned: no array, no const members.
//     struct node *n = loam_new(&r, struct node, .x = 1, .y = 2);
#define loam_new(r, ...) LOAM_NEW_(__COUNTER__, r, __VA_ARGS__, )
#define LOAM_NEW_(n, r, T, ...)                                                             \
    LOAM_NEW_N_(n, loam_region_push_made_(r, sizeof(T), LOAM_ALIGNOF(T), LOAM_MADE_(T)), T, \
                __VA_ARGS__)

// `n` zeroed objects of type T.
#define loam_new_array(r, T, n) \
    ((T *)loam_region_new_array_(r, loam_layout_array(loam_layout_of(T), n), LOAM_MADE_(T)))
#endif

// As sprintf(3), into the region. The caller's libc does the formatting. NULL when that or the
// region fails.
__attribute__((format(printf, 2, 0))) static inline char *
loam_vprintf(loam_region *r, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = n < 0 ? NULL : (char *)loam_region_push_raw(r, (size_t)n + 1, 1);
    if (text != NULL)
        vsnprintf(text, (size_t)n + 1, format, args);
    return text;
}
__attribute__((format(printf, 2, 3))) static inline char *loam_printf(loam_region *r,
                                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = loam_vprintf(r, format, args);
    va_end(args);
    return text;
}

// Cut the region back to where it was when the mark was saved: what was pushed since is gone, what
// was to be cleaned up since is, newest first. The mark must come from this region and still be
// there: not cut off by an earlier restore, clear or done.
LOAM_API loam_region_mark loam_region_save(const loam_region *r) LOAM_NONNULL(1);
LOAM_API void loam_region_restore(loam_region *r, loam_region_mark mark) LOAM_NONNULL(1);

// Call run(arg) when the region is closed, cleared or cut back below this point; the newest first,
// each exactly once, before any memory goes. A clean-up may push. Returns 0, or -ENOMEM when the
// region has no memory for the note: then nothing will be called, and `arg` stays the caller's.
LOAM_API LOAM_NODISCARD LOAM_NONNULL(1, 2) int loam_region_defer(loam_region *r,
                                                                 void (*run)(void *arg), void *arg);

// ---------------------------------------------------------------- queries

// The region as an allocator: memory is pushed; only the newest block can grow in place or be
// given back, releasing another does nothing until the region does.
LOAM_API loam_alloc loam_region_alloc(loam_region *r) LOAM_NONNULL(1);

// Bytes handed out, padding included; bytes taken from the allocator; does p lie in what it holds?
LOAM_API size_t loam_region_used(const loam_region *r) LOAM_NONNULL(1);
LOAM_API size_t loam_region_held(const loam_region *r) LOAM_NONNULL(1);
LOAM_API bool loam_region_holds(const loam_region *r, const void *p) LOAM_NONNULL(1);

LOAM_END_C

#endif
