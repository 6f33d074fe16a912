// pool.h: objects of one type that come and go, and handles that go stale safely.
//
// A pool gives out slots of one type and takes them back singly. Objects never move. Others refer
// to them by handle, not by pointer: a handle says which slot, and which of the objects that lived
// in it. When the object is freed the handle goes stale; asking for it gives NULL, also after the
// slot is in use again. Use it for things with identity: connections, entities, nodes of a graph.
//
//     #include <loam/pool.h>
//     #include <stdio.h>
//     struct conn { int fd; };
//     LOAM_POOL(conns, struct conn)            // types conns and conns_handle, at file scope
//     int main(void)
//     {
//         conns all = conns_make(LOAM_HERE);
//         conns_handle h;
//         struct conn *c = conns_new(&all, &h);     // zeroed; NULL when there is no memory
//         if (c == NULL) return 1;
//         c->fd = 3;
//         conns_free(&all, h);
//         printf("%s\n", conns_get(&all, h) == NULL ? "stale" : "alive");
//         conns_done(&all);
//     }
//
// A handle of another pool's type is a compile error; one of another pool of the same type is
// stale there (but for one chance in two billion). A pool belongs to one thread at a time, and is
// seen in reports under its name (owner.h); it must not be moved once it has given out an object.
// A slot costs its object, and in tables of their own four bytes for the generation and half a
// byte. Nothing of the pool lies in objects, so what is written to a freed one does no harm to
// others.
#ifndef LOAM_POOL_H
#define LOAM_POOL_H

#include <loam/alloc.h>
#include <loam/owner.h>
#include <string.h>

LOAM_BEGIN_C

// All zero is no object of any pool.
typedef struct loam_handle {
    uint32_t index, generation;
} loam_handle;

// Chunk k holds 32 << k slots. In front of slot 0, and running downwards, lie as many generations,
// and in front of those a word for each 64 slots of all chunks up to here.
#define LOAM_POOL_CHUNKS    26
#define LOAM_POOL_FIRST_LOG 5
typedef struct loam_pool_word {
    uint64_t free; // slots to be used again
    uint32_t next; // in the list of words that have some
} loam_pool_word;

typedef struct loam_pool {
    uint64_t window;             // slots to be given out next: the bits of one word
    char *window_slot;           // of the slot that window_at says
    uint32_t *window_generation; // of the same
    uint32_t window_at;          // index of the slot for bit 0
    uint32_t words;              // 1 + the first word with free slots, 0 = none
    uint32_t fresh;              // slots from here on were never used
    uint32_t easy;               // the same; 0 with LOAM=debug=on, when each death is noted
    uint32_t live, live_max;     // objects; what `live` was when a window was opened, at most
    uint32_t retired;            // slots whose generations are used up
    uint32_t seed;               // generation with which slots begin; even
    uint32_t chunks;
    loam_pool_word *word;          // in the newest chunk; slot i is bit i + 32
    char *chunk[LOAM_POOL_CHUNKS]; // slot 0 of each
    loam_layout slot;
    size_t held;
    loam_alloc alloc;
    const char *name, *place, *made; // made: type of the objects, and where it is declared
    loam_owner_link owner;
} loam_pool;

// What the functions of every typed pool call.
LOAM_API LOAM_NONNULL(1) void loam_pool_init_(loam_pool *p, loam_layout object, loam_alloc alloc,
                                              const char *name, const char *place,
                                              const char *made);
LOAM_API LOAM_NODISCARD LOAM_NONNULL(1, 2) void *loam_pool_new_(loam_pool *p, loam_handle *ret);
LOAM_API LOAM_NONNULL(1) bool loam_pool_free_(loam_pool *p, loam_handle h);
LOAM_API LOAM_NONNULL(1, 2) bool loam_pool_next_(const loam_pool *p, loam_handle *h);
LOAM_API LOAM_NONNULL(1) void loam_pool_done_(loam_pool *p);
LOAM_API LOAM_NONNULL(1) void *loam_pool_get_(const loam_pool *p, loam_handle h);

// The common cases of the same, compiled into the caller, where the size of a slot is a constant;
// whatever else is to be done is done by the functions above.
typedef struct loam_pool_slot {
    char *object;
    uint32_t *generation;
} loam_pool_slot;

static inline loam_pool_slot loam_pool_slot_(const loam_pool *p, uint32_t index, size_t size)
{
    uint32_t n = index + (1u << LOAM_POOL_FIRST_LOG);
    unsigned log = 31u ^ (unsigned)__builtin_clz(n);
    char *chunk = p->chunk[log - LOAM_POOL_FIRST_LOG];
    size_t i = n ^ (1u << log);
    loam_pool_slot s = {chunk + i * size, (uint32_t *)(void *)chunk - 1 - i};
    return s;
}

static inline void *loam_pool_take_(loam_pool *p, loam_handle *ret, size_t size)
{
    uint64_t window = p->window;
    if (__builtin_expect(window == 0, 0))
        return loam_pool_new_(p, ret);
    unsigned i = (unsigned)__builtin_ctzll(window);
    p->window = window & (window - 1);
    p->live++;
    ret->index = p->window_at + i;
    ret->generation = ++*(p->window_generation - i);
    return p->window_slot + i * size;
}

static inline void *loam_pool_find_(const loam_pool *p, loam_handle h, size_t size)
{
    if (__builtin_expect(h.index < p->fresh && (h.generation & 1) != 0, 1)) {
        loam_pool_slot s = loam_pool_slot_(p, h.index, size);
        if (__builtin_expect(*s.generation == h.generation, 1))
            return s.object;
    }
    return loam_pool_get_(p, h);
}

// A slot whose object has died may be used again.
static inline void loam_pool_put_(loam_pool *p, uint32_t index)
{
    uint32_t n = index + (1u << LOAM_POOL_FIRST_LOG);
    loam_pool_word *w = p->word + n / 64;
    if (w->free == 0) {
        w->next = p->words;
        p->words = n / 64 + 1;
    }
    w->free |= (uint64_t)1 << n % 64;
}

static inline bool loam_pool_give_(loam_pool *p, loam_handle h, size_t size)
{
    uint32_t next = h.generation + 1;
    if (__builtin_expect(h.index >= p->easy || (next & 1) != 0 || next == p->seed, 0))
        return loam_pool_free_(p, h);
    uint32_t *generation = loam_pool_slot_(p, h.index, size).generation;
    if (__builtin_expect(*generation != h.generation, 0))
        return loam_pool_free_(p, h);
    *generation = next;
    p->live--;
    loam_pool_put_(p, h.index);
    return true;
}

// Declare the type NAME, a pool of T, the type NAME_handle, and these functions:
//
//   NAME NAME_make(place)            An empty pool, whose name in reports is NAME; `place` is
//                                    LOAM_HERE. Takes no memory.
//   NAME NAME_make_in(alloc, place)  The same with memory from `alloc`.
//   T *NAME_new(pool, ret_handle)    A zeroed object, owned by the pool; its handle goes to
//                                    *ret_handle. NULL with errno ENOMEM, and nothing written.
//   T *NAME_get(pool, handle)        The object; NULL when it was freed.
//   bool NAME_free(pool, handle)     Free the object: its handles are stale from now on. False
//                                    when it was freed already.
//   bool NAME_next(pool, handle)     Step *handle to the next object, beginning with {0}; false at
//                                    the end. The object it stands on may be freed before.
//   size_t NAME_count(pool)          Live objects.
//   void NAME_done(pool)             Free all objects and the memory. The pool is empty and may be
//                                    used again; handles from before are stale.
#define LOAM_POOL_FN_ __attribute__((unused)) static inline
#define LOAM_POOL(NAME, T)                                                               \
    typedef struct NAME {                                                                \
        loam_pool pool;                                                                  \
    } NAME;                                                                              \
    typedef struct NAME##_handle {                                                       \
        loam_handle handle;                                                              \
    } NAME##_handle;                                                                     \
    LOAM_POOL_FN_ NAME NAME##_make_in(loam_alloc alloc, const char *place)               \
    {                                                                                    \
        NAME p;                                                                          \
        loam_pool_init_(&p.pool, loam_layout_of(T), alloc, #NAME, place, LOAM_MADE_(T)); \
        return p;                                                                        \
    }                                                                                    \
    LOAM_POOL_FN_ NAME NAME##_make(const char *place)                                    \
    {                                                                                    \
        return NAME##_make_in(loam_alloc_heap(), place);                                 \
    }                                                                                    \
    LOAM_NODISCARD LOAM_POOL_FN_ T *NAME##_new(NAME *p, NAME##_handle *ret_handle)       \
    {                                                                                    \
        T *object = (T *)loam_pool_take_(&p->pool, &ret_handle->handle, sizeof(T));      \
        return object == NULL ? NULL : (T *)memset(object, 0, sizeof(T));                \
    }                                                                                    \
    LOAM_POOL_FN_ T *NAME##_get(const NAME *p, NAME##_handle h)                          \
    {                                                                                    \
        return (T *)loam_pool_find_(&p->pool, h.handle, sizeof(T));                      \
    }                                                                                    \
    LOAM_POOL_FN_ bool NAME##_free(NAME *p, NAME##_handle h)                             \
    {                                                                                    \
        return loam_pool_give_(&p->pool, h.handle, sizeof(T));                           \
    }                                                                                    \
    LOAM_POOL_FN_ bool NAME##_next(const NAME *p, NAME##_handle *h)                      \
    {                                                                                    \
        return loam_pool_next_(&p->pool, &h->handle);                                    \
    }                                                                                    \
    LOAM_POOL_FN_ size_t NAME##_count(const NAME *p)                                     \
    {                                                                                    \
        return p->pool.live;                                                             \
    }                                                                                    \
    LOAM_POOL_FN_ void NAME##_done(NAME *p)                                              \
    {                                                                                    \
        loam_pool_done_(&p->pool);                                                       \
    }

LOAM_END_C

#endif
