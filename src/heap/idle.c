// idle.c: empty slabs that stay with their class for a while.
//
// A block of several OS pages is often touched in few of them, and a buffer seldom to its end. A
// span that goes from class to class comes to be touched everywhere in the end, for each class
// divides it at other places: a program that replaced 1,024 blocks of up to 32 KiB, each touched in
// one place, grew to 18 MB, and to 8 when slabs stayed what they were. So an empty slab of a larger
// class is not released at once. It counts as dirty memory does, under the same bound (pages.c); it
// is released when its heap grows, and whoever trims gives its memory back without its owner.
#include "heap/pages.h"

// Slabs of smaller blocks are soon touched everywhere anyway, and their pages serve all classes.
#define IDLE_SIZE_MIN 1024

bool idle_keep(struct heap *h, u32 slab)
{
    const struct desc *d = &arena.desc[slab];
    if (desc_size(d) <= IDLE_SIZE_MIN || !pages_idle(d->pages))
        return false;
    arena.side[slab].where = SLAB_IDLE;
    slab_link(&h->cls[d->cls].list[SLAB_IDLE], slab);
    return true;
}

// Holes: a stranger has given the memory back, and has counted that. In this order, because who
// forks in between counts too much rather than too little.
void idle_leave(u32 slab)
{
    struct side *e = &arena.side[slab];
    bool counted = e->where == SLAB_IDLE && e->holes == 0;
    if (e->where == SLAB_IDLE)
        e->where = SLAB_SPARSE;
    if (counted)
        atomic_fetch_sub_explicit(&pages.idle, arena.desc[slab].pages, memory_order_relaxed);
}

size_t idle_give(struct heap *h, size_t bytes)
{
    size_t given = 0;
    if (pages_idle_count() == 0)
        return 0;
    for (unsigned cls = 0; cls < CLASS_COUNT && given < bytes; cls++) {
        u32 next;
        for (u32 slab = h->cls[cls].list[SLAB_IDLE]; slab != 0 && given < bytes; slab = next) {
            next = arena.side[slab].next;
            if (slab_release_idle(h, slab))
                given += (size_t)class_info[cls].pages << PAGE_SHIFT;
        }
    }
    return given;
}

// Idle slabs of all heaps; returns the bytes given back. Other threads may be changing all of this:
// what is read here is a guess, and remote_purge makes sure.
__attribute__((no_sanitize("thread"))) static size_t purge_all(void)
{
    u32 end = (u32)(arena_bytes() >> PAGE_SHIFT);
    size_t given = 0;
    u32 n;
    for (u32 page = 1; page < end; page += n) {
        const struct desc *d = &arena.desc[page];
        bool slab = __atomic_load_n(&d->kind, __ATOMIC_ACQUIRE) == PAGE_SLAB;
        n = slab ? (u32)size_max(d->pages, 1) : 1;
        if (slab && arena.side[page].where == SLAB_IDLE && remote_purge(page))
            given += (size_t)n << PAGE_SHIFT;
    }
    return given;
}

static size_t idle_bytes(void)
{
    return pages_idle_count() << PAGE_SHIFT;
}

size_t heap_trim(size_t keep)
{
    size_t given = 0;
    struct heap *h = idle_bytes() > keep ? heap_enter() : NULL;
    if (h != NULL) {
        idle_give(h, SIZE_MAX);
        heap_leave(h);
    }
    if (idle_bytes() > keep)
        given = purge_all();
    return given + pages_trim(keep - size_min(idle_bytes(), keep));
}
