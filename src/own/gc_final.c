// gc_final.c: weak references, and finalizers.
//
// Both are decided by the mark, in this order: an object that no root reaches is gone for its weak
// references; then those with a finalizer become due, and all that they reach is kept once more.
// The mark writes what it found into bytes, one an entry, because it may run in a copy of the
// process; the entries themselves change only here, under the lock.
#include "own/gc.h"

#include <errno.h>

static struct gc_weak *weak_at(const loam_gc *gc, size_t i)
{
    assert(i < gc->weak.count);
    return (struct gc_weak *)gc->weak.at + i;
}

static struct gc_final *final_at(const loam_gc *gc, size_t i)
{
    assert(i < gc->final.count);
    return (struct gc_final *)gc->final.at + i;
}

// ---------------------------------------------------------------- weak references

int loam_gc_weak_add(loam_gc *gc, const void *p, loam_gc_weak *ret)
{
    u32 slab, slot;
    int e = 0;
    gc_lock(gc);
    if (!gc_find(gc, p, &slab, &slot))
        e = -EINVAL;
    else if (gc->weak_free == 0)
        e = gc->weak.count == UINT32_MAX ? -ENOMEM
                                         : gc_table_grow(&gc->weak, sizeof(struct gc_weak));
    if (e == 0) {
        u32 i = gc->weak_free != 0 ? gc->weak_free - 1 : (u32)gc->weak.count++;
        struct gc_weak *w = weak_at(gc, i);
        gc->weak_free = w->next;
        w->next = 0;
        w->hidden = gc_hide(p);
        w->fresh = gc->twin.pid != 0;
        w->generation |= 1; // odd while in use
        *ret = (loam_gc_weak){i, w->generation};
    }
    gc_unlock(gc);
    return e;
}

static struct gc_weak *weak_of(const loam_gc *gc, loam_gc_weak w)
{
    if (w.index >= gc->weak.count || (w.generation & 1) == 0)
        return NULL;
    struct gc_weak *e = weak_at(gc, w.index);
    return e->generation == w.generation ? e : NULL;
}

// While a copy is searched, its verdict on this object may be on its way, and it stands in
// registers now: if the copy should find it dead, what it found is not used. `left` is free to note
// it in, because the copy works on memory of its own.
static void revive(loam_gc *gc, const void *p)
{
    u32 slab, slot;
    if (gc->twin.pid != 0 && gc_find(gc, p, &slab, &slot))
        gc->left[slot / 64] |= (u64)1 << (slot & 63);
}

void *loam_gc_weak_get(loam_gc *gc, loam_gc_weak w)
{
    gc_lock(gc);
    const struct gc_weak *e = weak_of(gc, w);
    void *p = e != NULL && e->hidden != 0 ? gc_show(e->hidden) : NULL;
    if (p != NULL)
        revive(gc, p);
    __asm__ volatile("" : "+r"(p) : : "memory"); // from here on it is held
    gc_unlock(gc);
    return p;
}

void loam_gc_weak_remove(loam_gc *gc, loam_gc_weak w)
{
    gc_lock(gc);
    struct gc_weak *e = weak_of(gc, w);
    if (e != NULL) {
        e->hidden = 0;
        e->generation++;
        e->next = gc->weak_free;
        gc->weak_free = w.index + 1;
    }
    gc_unlock(gc);
}

// ---------------------------------------------------------------- finalizers

int loam_gc_finalizer_add(loam_gc *gc, void *p, void (*fn)(void *p, void *arg), void *arg)
{
    u32 slab, slot;
    int e = fn == NULL ? -EINVAL : 0;
    gc_lock(gc);
    if (e == 0 && (!gc_find(gc, p, &slab, &slot) ||
                   gc->blocks.span[slab].start +
                           (slot - gc->blocks.span[slab].slot) * gc->blocks.span[slab].size !=
                       (u64)(uintptr_t)p))
        e = -EINVAL;
    if (e == 0 && gc->final_free == 0)
        e = gc->final.count == UINT32_MAX ? -ENOMEM
                                          : gc_table_grow(&gc->final, sizeof(struct gc_final));
    if (e == 0) {
        u32 i = gc->final_free != 0 ? gc->final_free - 1 : (u32)gc->final.count++;
        struct gc_final *f = final_at(gc, i);
        gc->final_free = f->next;
        *f = (struct gc_final){.hidden = gc_hide(p),
                               .fn = fn,
                               .arg = arg,
                               .state = GC_FINAL_WATCH,
                               .fresh = gc->twin.pid != 0};
    }
    gc_unlock(gc);
    return e;
}

static void final_free(loam_gc *gc, struct gc_final *f)
{
    *f = (struct gc_final){.next = gc->final_free};
    gc->final_free = (u32)(f - (struct gc_final *)gc->final.at) + 1;
}

size_t loam_gc_finalizer_remove(loam_gc *gc, const void *p)
{
    size_t n = 0;
    gc_lock(gc);
    for (size_t i = 0; p != NULL && i < gc->final.count; i++) {
        struct gc_final *f = final_at(gc, i);
        if (f->state == GC_FINAL_WATCH && f->hidden == gc_hide(p)) {
            final_free(gc, f);
            n++;
        }
    }
    gc_unlock(gc);
    return n;
}

// The next that is due, no longer in the table; its object is held by the caller from now on.
static bool take_due(loam_gc *gc, struct gc_final *ret, void **ret_p)
{
    bool found = false;
    gc_lock(gc);
    for (size_t i = gc->due != 0 ? gc->due_from : gc->final.count; i < gc->final.count; i++) {
        struct gc_final *f = final_at(gc, i);
        if (f->state != GC_FINAL_DUE)
            continue;
        *ret = *f;
        *ret_p = gc_show(f->hidden);
        final_free(gc, f);
        gc->due--;
        gc->due_from = i + 1;
        gc->running++;
        found = true;
        break;
    }
    gc_unlock(gc);
    return found;
}

size_t loam_gc_finalize(loam_gc *gc)
{
    struct gc_final f;
    void *p;
    size_t n = 0;
    while (take_due(gc, &f, &p)) {
        f.fn(p, f.arg);
        gc_lock(gc);
        gc->running--;
        gc_unlock(gc);
        n++;
    }
    return n;
}

// ---------------------------------------------------------------- the mark's part

static bool is_left(const loam_gc *gc, const struct gc_verdict *v, u64 hidden)
{
    u32 slot;
    const struct page *page = blocks_slot(&gc->blocks, ~hidden, &slot);
    return page != NULL && v->left[slot / 64] >> (slot & 63) & 1;
}

void gc_final_judge(loam_gc *gc, struct mark *m, const struct gc_verdict *v)
{
    for (size_t i = 0; i < gc->weak.count; i++) {
        u64 hidden = weak_at(gc, i)->hidden;
        v->weak[i] = hidden != 0 && is_left(gc, v, hidden);
    }
    for (size_t i = 0; i < gc->final.count; i++) {
        const struct gc_final *f = final_at(gc, i);
        v->final[i] = f->state == GC_FINAL_WATCH && is_left(gc, v, f->hidden);
    }
    for (size_t i = 0; i < gc->final.count; i++)
        if (v->final[i]) {
            u64 p = ~final_at(gc, i)->hidden;
            mark_words(m, &p, 1);
        }
    mark_run(m);
}

void gc_final_roots(loam_gc *gc, struct mark *m)
{
    for (size_t i = 0; i < gc->final.count; i++) {
        const struct gc_final *f = final_at(gc, i);
        u64 words[] = {(u64)(uintptr_t)f->arg, ~f->hidden};
        if (f->state != GC_FINAL_FREE)
            mark_words(m, words, f->state == GC_FINAL_DUE ? 2 : 1);
    }
}

void gc_final_apply(loam_gc *gc, const struct gc_verdict *v, size_t weak, size_t final)
{
    for (size_t i = 0; i < weak; i++)
        if (v->weak[i] && !weak_at(gc, i)->fresh)
            weak_at(gc, i)->hidden = 0;
    for (size_t i = 0; i < final; i++) {
        struct gc_final *f = final_at(gc, i);
        if (v->final[i] && !f->fresh && f->state == GC_FINAL_WATCH) {
            f->state = GC_FINAL_DUE;
            gc->due++;
        }
    }
    gc->due_from = 0;
}

// A search is over: entries made meanwhile are as old as all others.
void gc_final_settle(loam_gc *gc)
{
    for (size_t i = 0; i < gc->weak.count; i++)
        weak_at(gc, i)->fresh = false;
    for (size_t i = 0; i < gc->final.count; i++)
        final_at(gc, i)->fresh = false;
}
