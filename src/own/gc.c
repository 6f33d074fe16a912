// gc.c: a collected heap from its first to its last, and questions about a pointer.
#include "own/gc.h"
#include "os/world.h"

#include <errno.h>
#include <loam/heap.h>
#include <pthread.h>
#include <string.h>

#define FIRST_USUAL (4 * MiB)
#define NS_PER_KIB  1000 // a GB a second, until it is known better
#define GROWTH_MAX  10000

static struct {
    struct lock lock; // of the list, and one collection at a time
    struct loam_gc *first;
    _Atomic u32 prepared; // the fork handlers are there
} the;

// ---------------------------------------------------------------- locks

void gc_lock(loam_gc *gc)
{
    if (unlikely(!lock_take(&gc->lock)))
        die("gc: a signal handler uses a heap that it interrupted", gc);
}

void gc_unlock(loam_gc *gc)
{
    lock_give(&gc->lock);
}

void gc_world_lock(void)
{
    if (unlikely(!lock_take(&the.lock)))
        die("gc: a signal handler collects in a collection that it interrupted", &the);
}

void gc_world_unlock(void)
{
    lock_give(&the.lock);
}

// ---------------------------------------------------------------- fork

// No heap is being changed, and none collected, while the child is made.
static void before_fork(void)
{
    gc_world_lock();
    gc_cache_lock(true);
    for (loam_gc *gc = the.first; gc != NULL; gc = gc->next)
        gc_lock(gc);
}

static void after_fork(void)
{
    for (loam_gc *gc = the.first; gc != NULL; gc = gc->next)
        gc_unlock(gc);
    gc_cache_lock(false);
    gc_world_unlock();
}

static void in_child(void)
{
    world_forked();
    for (loam_gc *gc = the.first; gc != NULL; gc = gc->next) {
        gc_cache_forked(gc);
        gc->twin.pid = 0; // it is the parent's child
        gc_collect_drop(gc);
    }
    after_fork();
}

static int prepare(void)
{
    int e = 0;
    gc_world_lock();
    if (!the.prepared) {
        e = -pthread_atfork(before_fork, after_fork, in_child);
        the.prepared = e == 0;
    }
    if (e == 0)
        e = world_open();
    gc_world_unlock();
    return e;
}

// ---------------------------------------------------------------- as an owner

static bool in_list(const struct gc_chunk *c, const void *p, const struct gc_chunk **ret)
{
    for (; c != NULL; c = c->next)
        if ((uintptr_t)p - (uintptr_t)c->at < c->bytes) {
            *ret = c;
            return true;
        }
    return false;
}

// In the object, if p points into one.
static bool find(const loam_owner_link *link, const void *p, size_t *ret_offset)
{
    const loam_gc *gc = container_of(link, loam_gc, owner);
    const struct gc_chunk *c;
    if (!in_list(gc->chunks, p, &c) && !in_list(gc->full, p, &c))
        return false;
    *ret_offset = (uintptr_t)p - (uintptr_t)c->at;
    return true;
}

// Words that others write without this lock: numbers for people.
static void describe(const loam_owner_link *link, loam_owner_info *ret)
{
    const loam_gc *gc = container_of(link, loam_gc, owner);
    ret->name = gc->name;
    ret->place = gc->place;
    ret->held = gc->held_chunks;
    ret->used = size_min(gc->stats.live_bytes + gc->allocated, gc->held_chunks);
    ret->used_max = size_max(gc->used_max, ret->used);
    ret->resets = gc->stats.collections;
}

static const struct loam_owner_ops gc_owner = {"gc", describe, find, NULL};

// ---------------------------------------------------------------- life

static int check_options(const loam_gc_options *o)
{
    return o->growth > GROWTH_MAX ? -EINVAL : 0;
}

static void list(loam_gc *gc)
{
    gc_world_lock();
    gc->next = the.first;
    the.first = gc;
    gc_world_unlock();
}

static void unlist(loam_gc *gc)
{
    gc_world_lock();
    loam_gc **at = &the.first;
    while (*at != gc)
        at = &(*at)->next;
    *at = gc->next;
    gc_world_unlock();
}

loam_gc *loam_gc_new_at(const char *name, const loam_gc_options *options, const char *place)
{
    const loam_gc_options o = options != NULL ? *options : (loam_gc_options){0};
    int e = check_options(&o);
    if (e == 0)
        e = prepare();
    loam_gc *gc = e == 0 ? loam_calloc(1, sizeof *gc) : NULL;
    if (gc == NULL) {
        errno = e == 0 ? ENOMEM : -e;
        return NULL;
    }
    gc->name = name != NULL ? name : "(unnamed)";
    gc->place = place != NULL ? place : "";
    gc->options = o;
    gc->options.first = o.first != 0 ? o.first : FIRST_USUAL;
    gc->ns_per_kib = NS_PER_KIB;
    gc->budget = gc->options.first;
    gc->type[GC_LEAF] = (struct gc_type){0, 1};
    owner_add(&gc->owner, &gc_owner);
    list(gc);
    return gc;
}

loam_gc *loam_gc_free(loam_gc *gc)
{
    if (gc == NULL)
        return NULL;
    if (gc->running != 0)
        die("gc: freed by a finalizer of its own", gc);
    unlist(gc);
    gc_lock(gc);
    twin_kill(&gc->twin);
    gc_collect_drop(gc);
    gc_unlock(gc);
    gc_cache_forget(gc);
    gc_slab_done(gc);
    owner_remove(&gc->owner);
    gc_table_done(&gc->roots, sizeof(struct gc_range));
    gc_table_done(&gc->weak, sizeof(struct gc_weak));
    gc_table_done(&gc->final, sizeof(struct gc_final));
    gc_table_done(&gc->modules, sizeof(struct gc_range));
    gc_table_done(&gc->tls, sizeof(struct gc_range));
    gc_table_done(&gc->judge, 1);
    loam_free(gc);
    return NULL;
}

int loam_gc_signal(void)
{
    return world_signal();
}

// ---------------------------------------------------------------- tables

int gc_table_grow(struct gc_table *t, size_t size)
{
    if (t->count < t->room)
        return 0;
    size_t room = t->room != 0 ? t->room * 2 : 4096 / size;
    void *at = os_map(round_up(room * size, OS_PAGE));
    if (at == NULL)
        return -ENOMEM;
    if (t->at != NULL) {
        memcpy(at, t->at, t->count * size);
        os_unmap(t->at, round_up(t->room * size, OS_PAGE));
    }
    t->at = at;
    t->room = room;
    return 0;
}

void gc_table_done(struct gc_table *t, size_t size)
{
    if (t->at != NULL)
        os_unmap(t->at, round_up(t->room * size, OS_PAGE));
    *t = (struct gc_table){0};
}

// ---------------------------------------------------------------- questions

// Windows are asked too: an object in one was not handed out (G1). A word that its thread is just
// changing may be read as before or after.
static bool in_window(const loam_gc *gc, u32 slot)
{
    u32 cls = gc->slab[slot / GC_SLOTS].cls, kind = gc->slab[slot / GC_SLOTS].kind;
    if (gc->slab[slot / GC_SLOTS].state != GC_CURRENT)
        return false;
    for (const struct gc_cache *c = gc->caches; c != NULL; c = c->next_in_gc) {
        const struct gc_window *w = c->kind[kind] != NULL ? &c->kind[kind][cls] : NULL;
        if (w != NULL && w->slab == slot / GC_SLOTS && w->slot == (slot & ~63u))
            return __atomic_load_n(&w->word, __ATOMIC_RELAXED) >> (slot & 63) & 1;
    }
    return false;
}

bool gc_find(const loam_gc *gc, const void *p, u32 *ret_slab, u32 *ret_slot)
{
    u32 slot;
    const struct page *page = blocks_slot(&gc->blocks, (u64)(uintptr_t)p, &slot);
    if (page == NULL)
        return false;
    const struct gc_slab *s = &gc->slab[page->span];
    u32 i = slot % GC_SLOTS;
    if (i < s->first || gc->free[slot / 64] >> (slot & 63) & 1 || in_window(gc, slot))
        return false;
    *ret_slab = page->span;
    *ret_slot = slot;
    return true;
}

static void *object(loam_gc *gc, const void *p, size_t *ret_size)
{
    u32 slab, slot;
    char *start = NULL;
    *ret_size = 0;
    gc_lock(gc);
    if (gc_find(gc, p, &slab, &slot)) {
        const struct span *s = &gc->blocks.span[slab];
        start = s->image + (slot - s->slot) * s->size;
        *ret_size = s->size;
    }
    __asm__ volatile("" : "+r"(start) : : "memory"); // from here on it is held
    gc_unlock(gc);
    return start;
}

void *loam_gc_start(loam_gc *gc, const void *p)
{
    size_t size;
    return object(gc, p, &size);
}

size_t loam_gc_size(loam_gc *gc, const void *p)
{
    size_t size;
    object(gc, p, &size);
    return size;
}

loam_gc_stats loam_gc_usage(loam_gc *gc)
{
    gc_lock(gc);
    loam_gc_stats s = gc->stats;
    s.held_bytes = gc_slab_held(gc);
    s.allocated_bytes = gc->allocated;
    s.finalizers_due = gc->due;
    gc_unlock(gc);
    return s;
}
