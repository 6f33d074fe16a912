// thread.c: heaps come and go with threads.
//
// A thread gets its heap at its first call and parts with it by a pthread key's destructor. The
// heap's slabs go to the pools, to nobody (full ones) or back to the page heap; the struct itself
// waits in a list for the next thread. Destructors that run later (C++ thread_local, other keys,
// libc's own) still allocate: a dying thread borrows a waiting heap for each such call.
#include "heap/fast.h"

#include <pthread.h>

enum { THREAD_ALIVE = 0, THREAD_DYING };
static thread_local_ u8 thread_state;

static struct heap *heap_make(void)
{
    u64 id = atomic_load_explicit(&loam_heap_root.heaps_count, memory_order_relaxed) + 1;
    if (id > HEAPS_MAX)
        return NULL;
    struct heap *h = heap_meta(sizeof *h);
    if (h == NULL)
        return NULL;
    h->id = (u32)id;
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        h->window[c].size = class_info[c].size;
    the.heaps[id] = h;
    // Release: whoever reads the count may read the entry.
    atomic_store_explicit(&loam_heap_root.heaps_count, id, memory_order_release);
    return h;
}

// A heap that no thread uses: a waiting one, else a new one. NULL on ENOMEM, or when this thread
// was interrupted while it held the lock.
static struct heap *heap_get(void)
{
    if (!lock_take(&the.heaps_lock))
        return NULL;
    struct heap *h = the.idle;
    if (h != NULL) {
        the.idle = h->next;
        h->next = NULL;
        h->retired = 0;
    } else {
        h = heap_make();
    }
    lock_give(&the.heaps_lock);
    if (h != NULL) // its thread is awake: see remote.c
        atomic_store_explicit(&h->drained_ms, (u32)os_coarse_ms(), memory_order_relaxed);
    return h;
}

void heap_put(struct heap *h)
{
    if (!lock_take(&the.heaps_lock))
        return; // lost to a signal handler that interrupted us just here: a heap, no blocks
    h->retired = 1;
    h->next = the.idle;
    the.idle = h;
    lock_give(&the.heaps_lock);
}

// The calling thread's first heap.
static struct heap *attach(void)
{
    struct heap *h = heap_get();
    if (h == NULL || thread_state == THREAD_DYING)
        return h; // borrowed: heap_leave puts it back
    struct heap *none = NULL;
    // A signal handler may have attached one since we looked.
    if (!__atomic_compare_exchange_n(&heap_mine, &none, h, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED)) {
        heap_put(h);
        return heap_mine;
    }
    if (the.ops == NULL)
        heap_fast = h;
    if (__atomic_load_n(&the.key_made, __ATOMIC_ACQUIRE))
        pthread_setspecific(the.key, h);
    return h;
}

// The heap is busy: we are a signal handler that interrupted it. Each depth has a heap of its own.
static struct heap *interrupted(struct heap *h)
{
    while (h != NULL && h->busy) {
        if (h->second == NULL) {
            struct heap *second = heap_get();
            if (second == NULL)
                return NULL;
            struct heap *none = NULL;
            // A handler that interrupted us here may have found one, too.
            if (!__atomic_compare_exchange_n(&h->second, &none, second, false, __ATOMIC_RELAXED,
                                             __ATOMIC_RELAXED))
                heap_put(second);
        }
        h = h->second;
    }
    return h;
}

struct heap *heap_enter(void)
{
    struct heap *h = heap_mine;
    if (unlikely(h == NULL))
        h = attach();
    if (unlikely(h != NULL && h->busy))
        h = interrupted(h);
    if (h != NULL) {
        busy_begin(h);
        fork_check(h);
    }
    return h;
}

void heap_leave(struct heap *h)
{
    busy_end(h);
    if (unlikely(thread_state == THREAD_DYING))
        heap_put(h);
}

// Part with all slabs of a class. No drain in here: the lists change by our hand alone. Returns
// how many could not be parted with; those are asleep.
static unsigned disown_class(struct heap *h, unsigned cls)
{
    struct class_state *c = &h->cls[cls];
    unsigned left = 0;
    u32 next;
    for (int i = SLAB_ASLEEP; i < SLAB_LISTS; i++) {
        for (u32 slab = c->list[i]; slab != 0; slab = next) {
            next = arena.side[slab].next;
            slab_unlink(&c->list[i], slab);
            left += !slab_disown(h, slab); // goes to the head of those asleep, behind us
        }
    }
    c->full = 0;
    return left;
}

static void close_class(struct heap *h, unsigned cls)
{
    window_close(h, cls);
    u32 slab = h->cls[cls].current;
    h->cls[cls].current = 0;
    if (slab != 0)
        slab_disown(h, slab);
}

// Give everything back that the heap owns. A stranger that has set DIRTY is a few instructions
// away from telling us. If it sleeps there, the slab stays with this heap, and whoever gets the
// heap next inherits it.
static void empty(struct heap *h)
{
    busy_begin(h);
    for (unsigned cls = 0; cls < CLASS_COUNT; cls++)
        close_class(h, cls);
    unsigned left = 1;
    for (int tries = 0; left != 0 && tries < 100; tries++) {
        if (tries > 10)
            os_yield();
        remote_drain(h);
        left = 0;
        for (unsigned cls = 0; cls < CLASS_COUNT; cls++)
            left += disown_class(h, cls);
    }
    busy_end(h);
}

// The key's destructor. Its argument is the thread's heap.
static void thread_exit(void *arg)
{
    struct heap *h = arg;
    if (h != heap_mine)
        return;
    thread_state = THREAD_DYING;
    heap_fast = &heap_none;
    heap_mine = NULL;
    if (h->busy)
        return; // a signal handler ended the thread inside the heap: leave it as it is
    while (h != NULL) {
        struct heap *second = h->second;
        h->second = NULL;
        empty(h);
        heap_put(h);
        h = second;
    }
}

// Before main, first of all constructors where libloam is preloaded; also in static programs.
__attribute__((constructor(101))) static void thread_start(void)
{
    pthread_key_t key;
    if (pthread_key_create(&key, thread_exit) != 0)
        return; // no keys left: heaps of dead threads are never reused
    the.key = key;
    __atomic_store_n(&the.key_made, 1, __ATOMIC_RELEASE);
    if (heap_mine != NULL)
        pthread_setspecific(key, heap_mine);
}
