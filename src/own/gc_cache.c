// gc_cache.c: what a thread has of a collected heap: windows.
//
// A thread finds its cache by a thread-local pointer; with one heap that is one comparison. Caches
// are never given back to the heap below, because a thread may still look at one whose heap is
// gone: it sees that it belongs to nobody, and takes it for another heap. Those of a thread that
// has ended go to the next one that begins.
#include "heap/api.h"
#include "own/gc.h"

#include <errno.h>
#include <pthread.h>

static struct {
    struct lock lock;      // of `idle`, and of what heap a cache belongs to; before a heap's lock
    struct gc_cache *idle; // of threads that have ended
    _Atomic u32 key_made;  // 1: under way, 2: made
    pthread_key_t key;     // its destructor gives back what an ended thread had
} the;

static thread_local_ struct gc_cache *my_first; // the one that was used last

// A signal handler may not be here: it would use a heap (gc_lock tells that).
void gc_cache_lock(bool take)
{
    if (take)
        lock_take(&the.lock);
    else
        lock_give(&the.lock);
}

static loam_gc *heap_of(const struct gc_cache *c)
{
    return atomic_load_explicit(&c->gc, memory_order_relaxed);
}

// The rest of a window becomes ordinary free objects. The lock is held.
static void give_window(loam_gc *gc, struct gc_window *w)
{
    if (w->slab == 0)
        return;
    assert(gc->slab[w->slab].state == GC_CURRENT); // G2
    if (w->word != 0)
        gc->free[w->slot / 64] |= w->word;
    gc->slab[w->slab].state = GC_FULL; // until the next collection looks at it
    *w = (struct gc_window){.size = w->size};
}

static void give_windows(loam_gc *gc, struct gc_cache *c)
{
    for (unsigned kind = 0; kind < GC_KINDS; kind++)
        for (unsigned cls = 0; c->kind[kind] != NULL && cls < CLASS_COUNT; cls++)
            give_window(gc, &c->kind[kind][cls]);
}

static void unlink(loam_gc *gc, struct gc_cache *c)
{
    struct gc_cache **at = &gc->caches;
    while (*at != c)
        at = &(*at)->next_in_gc;
    *at = c->next_in_gc;
    atomic_store_explicit(&c->gc, NULL, memory_order_relaxed);
}

// A heap may be freed at the same time: whichever comes first, the other finds nothing to do.
static void thread_ended(void *unused)
{
    (void)unused;
    gc_cache_lock(true);
    for (struct gc_cache *c; (c = my_first) != NULL;) {
        loam_gc *gc = heap_of(c);
        if (gc != NULL) {
            gc_lock(gc);
            give_windows(gc, c);
            unlink(gc, c);
            gc_unlock(gc);
        }
        my_first = c->next;
        c->next = the.idle;
        the.idle = c;
    }
    gc_cache_lock(false);
}

static struct gc_cache *idle_cache(void)
{
    gc_cache_lock(true);
    struct gc_cache *c = the.idle;
    if (c != NULL)
        the.idle = c->next;
    gc_cache_lock(false);
    return c != NULL ? c : heap_meta(sizeof *c);
}

static void watch_end(void)
{
    u32 none = 0;
    if (atomic_compare_exchange_strong_explicit(&the.key_made, &none, 1, memory_order_acq_rel,
                                                memory_order_acquire))
        atomic_store_explicit(&the.key_made,
                              pthread_key_create(&the.key, thread_ended) == 0 ? 2 : 0,
                              memory_order_release);
    // Without a key, windows of ended threads stay taken until the heap is freed.
    if (atomic_load_explicit(&the.key_made, memory_order_acquire) == 2)
        pthread_setspecific(the.key, &the);
}

static struct gc_cache *new_cache(loam_gc *gc)
{
    struct gc_cache *c = my_first;
    while (c != NULL && heap_of(c) != NULL)
        c = c->next;
    if (c == NULL) {
        c = idle_cache();
        if (c == NULL)
            return NULL;
        c->next = my_first;
        my_first = c;
        watch_end();
    }
    c->thread = (uintptr_t)__builtin_thread_pointer();
    gc_lock(gc);
    c->next_in_gc = gc->caches;
    gc->caches = c;
    atomic_store_explicit(&c->gc, gc, memory_order_relaxed);
    gc_unlock(gc);
    return c;
}

// The heap used last comes first.
static noinline_ struct gc_cache *find_cache(loam_gc *gc)
{
    for (struct gc_cache **at = &my_first; *at != NULL; at = &(*at)->next)
        if (heap_of(*at) == gc) {
            struct gc_cache *c = *at;
            *at = c->next;
            c->next = my_first;
            my_first = c;
            return c;
        }
    return new_cache(gc);
}

static noinline_ struct gc_window *make_row(struct gc_cache *c, unsigned kind)
{
    struct gc_window *row = heap_meta(CLASS_COUNT * sizeof *row);
    if (row == NULL)
        return NULL;
    for (unsigned cls = 0; cls < CLASS_COUNT; cls++)
        row[cls].size = class_info[cls].size;
    c->kind[kind] = row;
    return row;
}

struct gc_window *gc_cache_window(loam_gc *gc, unsigned kind, unsigned cls)
{
    struct gc_cache *c = my_first;
    if (unlikely(c == NULL || heap_of(c) != gc))
        c = find_cache(gc);
    if (unlikely(c == NULL))
        return NULL;
    struct gc_window *row = c->kind[kind];
    if (unlikely(row == NULL))
        row = make_row(c, kind);
    return row != NULL ? &row[cls] : NULL;
}

void gc_cache_forget(loam_gc *gc)
{
    gc_cache_lock(true);
    gc_lock(gc);
    for (struct gc_cache *next, *c = gc->caches; c != NULL; c = next) {
        next = c->next_in_gc;
        give_windows(gc, c);
        atomic_store_explicit(&c->gc, NULL, memory_order_relaxed);
    }
    gc->caches = NULL;
    gc_unlock(gc);
    gc_cache_lock(false);
}

void gc_cache_forked(loam_gc *gc)
{
    uintptr_t me = (uintptr_t)__builtin_thread_pointer();
    for (struct gc_cache *next, *c = gc->caches; c != NULL; c = next) {
        next = c->next_in_gc;
        if (c->thread == me)
            continue;
        give_windows(gc, c);
        unlink(gc, c);
    }
}
