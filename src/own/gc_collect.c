// gc_collect.c: a collection: when, how long everybody stands still, and what is free afterwards.
//
//     before    what the loader knows; left = all that is handed out, but for windows
//     stopped   windows off `left`; then either the whole search, or a copy of the process
//     after     search in the copy; free |= left
//
// Only the middle part is a pause. The loader's lock is held throughout, so that no module comes or
// goes, and it is taken first, because a program may allocate while it walks the modules itself.
#include "os/world.h"
#include "own/gc.h"

#include <errno.h>
#include <link.h>
#include <string.h>

#define LOOK_BYTES      (256 * KiB) // allocated between two looks whether a copy has finished
#define PAUSE_NS_WANTED 15000000ull // longer searches are made in a copy; 20 ms is the aim
#define RATE_BYTES_MIN  (1 * MiB)   // live, for the time of a search to say something
#define COPY_BYTES_MIN  (8 * MiB)   // expected live; under it no copy is made to save a stop
#define SMALL_BUDGET    (96 * MiB)  // of a heap that may grow to four times what is live
#define SMALL_WAIT      (128 * MiB) // a budget under which a copy is waited for earlier

struct request {
    loam_gc *gc;
    bool due_only; // do nothing if meanwhile another thread has collected
    bool in_place;
    int result;
};

// ---------------------------------------------------------------- before

// G1, but for windows.
static void take_stock(const loam_gc *gc, u64 *left)
{
    for (u32 i = 1; i < gc->slab_count; i++) {
        const struct gc_slab *s = &gc->slab[i];
        const u64 *free = gc->free + (size_t)i * GC_WORDS;
        u64 *to = gc_words(left, i);
        for (u32 w = 0; w < gc_slab_words(s); w++)
            to[w] = s->state != GC_NONE ? ~free[w] & gc_valid(s, w) : 0;
    }
}

// With the threads stopped.
static void take_off_windows(const loam_gc *gc, u64 *left)
{
    for (const struct gc_cache *c = gc->caches; c != NULL; c = c->next_in_gc)
        for (unsigned kind = 0; kind < GC_KINDS; kind++)
            for (unsigned cls = 0; c->kind[kind] != NULL && cls < CLASS_COUNT; cls++) {
                const struct gc_window *w = &c->kind[kind][cls];
                if (w->slab != 0)
                    left[w->slot / 64] &= ~w->word;
            }
}

static size_t bytes_handed_out(const loam_gc *gc)
{
    return gc->stats.live_bytes + gc->allocated;
}

// What will be found alive, if as much of what is new survives as did the last time.
static size_t bytes_expected(const loam_gc *gc)
{
    return gc->stats.live_bytes + gc->allocated / 100 * gc->survival;
}

// Where the program did not say from how many bytes: where standing still for the whole search is
// expected to take too long. A copy costs about as much again as the search: the program's next
// writes copy the pages that both share. Where very little lives it never pays.
static bool is_large(const loam_gc *gc)
{
    if (gc->options.snapshot_from != 0)
        return bytes_expected(gc) >= gc->options.snapshot_from;
    return bytes_expected(gc) >= COPY_BYTES_MIN &&
           bytes_expected(gc) / KiB * gc->ns_per_kib >= PAUSE_NS_WANTED;
}

static bool wants_copy(const loam_gc *gc, const struct request *r)
{
    return !r->in_place && !gc->in_place && !under_asan && !under_tsan && is_large(gc);
}

// Memory for the verdict of a copy: `left`, then a byte for each weak reference and finalizer, then
// three words.
static bool make_shared(loam_gc *gc)
{
    size_t left = (size_t)gc->slab_count * GC_WORDS * sizeof(u64);
    size_t entries = round_up(gc->weak.count + gc->final.count, 8);
    gc->shared_bytes = round_up(left + entries + 3 * sizeof(u64), OS_PAGE);
    gc->shared = twin_memory(gc->shared_bytes);
    if (gc->shared == NULL)
        return false;
    char *tail = gc->shared + left + entries;
    gc->verdict = (struct gc_verdict){.left = (u64 *)(void *)gc->shared,
                                      .weak = (u8 *)gc->shared + left,
                                      .final = (u8 *)gc->shared + left + gc->weak.count,
                                      .words = (u64 *)(void *)tail,
                                      .ns = (u64 *)(void *)(tail + 8)};
    return true;
}

static _Atomic u32 *shared_done(const loam_gc *gc)
{
    return (_Atomic u32 *)(void *)(gc->verdict.ns + 1);
}

void gc_collect_drop(loam_gc *gc)
{
    assert(gc->twin.pid == 0);
    if (gc->shared == NULL)
        return;
    twin_memory_free(gc->shared, gc->shared_bytes);
    gc->shared = NULL;
    gc_final_settle(gc);
}

// ---------------------------------------------------------------- the search

struct search {
    loam_gc *gc;
    const struct gc_verdict *verdict;
    const void *sp;
    bool ok;
};

static void search(void *arg)
{
    struct search *s = arg;
    u64 start = os_cpu_ns(); // not wall time: it shall foretell the next search
    struct mark m = {.blocks = &s->gc->blocks, .left = s->verdict->left, .work = s->gc->work};
    s->ok = gc_roots_mark(s->gc, &m, s->sp);
    mark_run(&m);
    gc_final_judge(s->gc, &m, s->verdict);
    *s->verdict->words = s->ok ? m.words + 1 : 0; // 0: the roots could not be read
    *s->verdict->ns = os_cpu_ns() - start;
}

// ---------------------------------------------------------------- after

// What a slab has left: free objects; it is listed, given back or left alone.
static u32 sweep_slab(loam_gc *gc, u32 number, const u64 *left)
{
    struct gc_slab *s = &gc->slab[number];
    u64 *free = gc_words(gc->free, number);
    u32 have = 0, freed = 0;
    for (u32 w = 0; w < gc_slab_words(s); w++) {
        if (left != NULL && left[w] != 0) {
            assert((free[w] & left[w]) == 0); // G5
            freed += bits_in(left[w]);
            free[w] |= left[w];
        }
        have += bits_in(free[w]);
    }
    u32 objects = s->blocks - s->first;
    gc->stats.live_bytes += (objects - have) * gc->blocks.span[number].size;
    gc->stats.live_objects += objects - have;
    if (s->state == GC_CURRENT)
        return freed;
    s->state = GC_FULL;
    if (have == objects) {
        gc_slab_give(gc, number);
    } else if (have > objects / 16) { // fewer do not pay for a visit
        s->state = GC_LISTED;
        s->next = gc->list[s->kind][s->cls];
        gc->list[s->kind][s->cls] = number;
    }
    return freed;
}

// free |= left. Downwards, so that the lists begin with the lowest addresses.
static void sweep(loam_gc *gc, u64 *left, u32 slabs)
{
    size_t freed = 0;
    u64 start = os_monotonic_ns();
    gc->stats.live_bytes = gc->stats.live_objects = 0;
    memset(gc->list, 0, sizeof gc->list);
    for (u32 i = gc->slab_count; i-- > 1;)
        if (gc->slab[i].state != GC_NONE)
            freed += sweep_slab(gc, i, i < slabs ? gc_words(left, i) : NULL);
    u64 ns = os_monotonic_ns() - start;
    gc->stats.sweep_ns_max = ns > gc->stats.sweep_ns_max ? ns : gc->stats.sweep_ns_max;
    gc->stats.freed_objects += freed;
    gc->stats.collections++;
}

// As much as is live, or what the program said. A small heap may grow to four times what is live:
// it is searched less often, for little memory.
static void set_budget(loam_gc *gc)
{
    size_t live = gc->stats.live_bytes;
    size_t grown = gc->options.growth != 0 ? live / 100 * gc->options.growth
                                           : size_max(live, size_min(3 * live, SMALL_BUDGET));
    gc->budget = size_max(gc->options.first, grown);
}

// At most doubled: a search in which the processor was taken away says little.
static void note_rate(loam_gc *gc, u64 ns)
{
    if (gc->stats.live_bytes < RATE_BYTES_MIN)
        return;
    u64 now = size_min(ns / (gc->stats.live_bytes / KiB), 2 * gc->ns_per_kib);
    gc->ns_per_kib = (3 * gc->ns_per_kib + now + 3) / 4;
}

// `since` bytes were handed out while a copy was searched. Nobody knows how many of them live: they
// are allocated, not live, lest they be counted twice and the heap grow by them.
static void conclude(loam_gc *gc, const struct gc_verdict *v, size_t weak, size_t final, u32 slabs,
                     size_t since)
{
    size_t was = gc->stats.live_bytes;
    gc->used_max = size_max(gc->used_max, bytes_handed_out(gc));
    gc_final_apply(gc, v, weak, final);
    sweep(gc, v->left, slabs);
    gc->stats.live_bytes -= size_min(since, gc->stats.live_bytes);
    note_rate(gc, *v->ns);
    size_t more = gc->stats.live_bytes > was ? gc->stats.live_bytes - was : 0;
    gc->allocated -= since;
    gc->survival = (u32)size_min(100, more / (gc->allocated / 100 + 1));
    gc->allocated = since;
    gc->stats.mark_ns_total += *v->ns;
    gc->stats.marked_bytes += *v->words * sizeof(u64);
    set_budget(gc);
    gc_slab_trim(gc, gc->stats.live_bytes + gc->budget);
}

// The program took hold of an object that the copy found dead.
static bool is_spoiled(const loam_gc *gc)
{
    for (size_t w = 0; gc->twin_weak != 0 && w < (size_t)gc->twin_slabs * GC_WORDS; w++)
        if (gc->left[w] & gc->verdict.left[w])
            return true;
    return false;
}

static void finish(loam_gc *gc, int outcome)
{
    bool read = outcome == 1 && *gc->verdict.words != 0;
    bool spoiled = read && is_spoiled(gc);
    gc->in_place = !read || spoiled;
    gc->stats.spoiled += spoiled;
    gc->stats.refused += !read;
    if (!gc->in_place) {
        gc->stats.snapshots++;
        conclude(gc, &gc->verdict, gc->twin_weak, gc->twin_final, gc->twin_slabs,
                 gc->allocated - gc->twin_allocated);
    }
    gc_collect_drop(gc);
}

// ---------------------------------------------------------------- stopped

static void note_pause(loam_gc *gc, u64 ns)
{
    unsigned i = 0;
    while (i < LOAM_GC_PAUSES - 1 && ns / 1000 >= (u64)16 << i)
        i++;
    gc->stats.pause_counts[i]++;
    gc->stats.pause_ns_last = ns;
    gc->stats.pause_ns_total += ns;
    gc->stats.pause_ns_max = ns > gc->stats.pause_ns_max ? ns : gc->stats.pause_ns_max;
}

static bool search_copy(loam_gc *gc, struct search *s)
{
    return twin_start(&gc->twin, shared_done(gc), search, s) == 0;
}

// The search in place writes into memory that is there already; its bytes are few, for their
// tables are never larger than those of the entries.
static int search_here(loam_gc *gc, struct search *s, const struct gc_verdict *v)
{
    s->verdict = v;
    search(s);
    (void)gc;
    return s->ok ? 0 : -EBUSY;
}

static noinline_ int collect_locked(struct request *r)
{
    loam_gc *gc = r->gc;
    u64 words = 0, ns = 0;
    u8 *judge = gc->judge.at; // NULL: there are no entries
    u8 *final = judge != NULL ? judge + gc->weak.count : NULL;
    struct gc_verdict here = {gc->left, judge, final, &words, &ns};
    bool copy = wants_copy(gc, r) && make_shared(gc);
    struct search s = {gc, &gc->verdict, __builtin_frame_address(0), false};
    take_stock(gc, copy ? gc->verdict.left : gc->left);
    if (copy && gc->weak.count != 0)
        memset(gc->left, 0, (size_t)gc->slab_count * GC_WORDS * sizeof(u64));
    if (gc->regions != 0)
        owner_hold(); // no region is changing its blocks
    u64 start = os_monotonic_ns();
    int e = world_stop();
    if (e == 0) {
        take_off_windows(gc, copy ? gc->verdict.left : gc->left);
        bool copied = copy && search_copy(gc, &s);
        gc->copies += copied;
        if (copy && !copied) { // no process to be had: in place
            take_stock(gc, gc->left);
            take_off_windows(gc, gc->left);
        }
        if (!copied)
            e = search_here(gc, &s, &here);
        world_go();
        note_pause(gc, os_monotonic_ns() - start);
        gc->twin_slabs = gc->slab_count;
        gc->twin_weak = gc->weak.count;
        gc->twin_final = gc->final.count;
        gc->twin_allocated = gc->allocated;
        gc->look_at = gc->allocated + LOOK_BYTES;
    }
    if (gc->regions != 0)
        owner_go();
    if (gc->twin.pid != 0)
        return 0;
    gc_collect_drop(gc);
    if (e < 0) {
        gc->stats.refused++;
        gc->budget = gc->allocated + size_max(gc->options.first, gc->stats.live_bytes / 8);
        return e;
    }
    gc->in_place = false;
    conclude(gc, &here, gc->weak.count, gc->final.count, gc->slab_count, 0);
    return 0;
}

// ---------------------------------------------------------------- asking for one

static bool is_due(const loam_gc *gc)
{
    return gc->allocated >= gc->budget;
}

static noinline_ void collect_here(struct request *r)
{
    loam_gc *gc = r->gc;
    gc_world_lock();
    gc_lock(gc);
    if (gc->holds != 0)
        r->result = -EBUSY;
    else if (gc->twin.pid != 0 || (r->due_only && !is_due(gc)))
        r->result = 0;
    else {
        r->result = gc->options.explicit_roots ? 0 : gc_roots_modules(gc);
        size_t entries = gc->weak.count + gc->final.count;
        while (r->result == 0 && gc->judge.room < entries) {
            gc->judge.count = gc->judge.room;
            r->result = gc_table_grow(&gc->judge, 1);
        }
        if (r->result == 0)
            r->result = collect_locked(r);
    }
    gc_unlock(gc);
    gc_world_unlock();
}

// The loader calls this with its lock held, for its first module.
static int in_loader(struct dl_phdr_info *info, size_t size, void *request)
{
    (void)info;
    (void)size;
    collect_here(request);
    return 1;
}

// What callers up to here keep in registers goes onto the stack, above all that is called.
static noinline_ int collect(struct request *r)
{
    __builtin_unwind_init();
    if (r->gc->options.explicit_roots)
        collect_here(r);
    else
        dl_iterate_phdr(in_loader, r);
    compiler_barrier();
    return r->result;
}

// With the lock held: a copy that is searched is looked after. True when one still is.
static bool look_after_copy(loam_gc *gc, bool wait)
{
    if (gc->twin.pid == 0)
        return false;
    if (!wait && gc->allocated < gc->look_at)
        return true;
    gc->look_at = gc->allocated + LOOK_BYTES;
    int outcome = twin_poll(&gc->twin, wait);
    if (outcome != 0)
        finish(gc, outcome);
    return outcome == 0;
}

void gc_collect_due(loam_gc *gc)
{
    gc_lock(gc);
    // Half as much again as should have been allocated by now, in a small heap a quarter: the copy
    // is too slow, and waited for.
    size_t more = gc->budget / (gc->budget < SMALL_WAIT ? 4 : 2);
    bool wait = gc->allocated > gc->budget + more;
    bool busy = look_after_copy(gc, wait) || !is_due(gc) || gc->holds != 0;
    gc_unlock(gc);
    if (!busy)
        collect(&(struct request){.gc = gc, .due_only = true});
}

static void end_search(loam_gc *gc)
{
    gc_lock(gc);
    look_after_copy(gc, true);
    gc_unlock(gc);
}

int gc_collect_now(loam_gc *gc)
{
    end_search(gc);
    int e = collect(&(struct request){.gc = gc});
    end_search(gc);
    if (e == 0 && gc->in_place) // what the copy said could not be used
        e = collect(&(struct request){.gc = gc, .in_place = true});
    return e;
}

int loam_gc_collect(loam_gc *gc)
{
    int e = gc_collect_now(gc);
    loam_gc_finalize(gc);
    return e;
}

void loam_gc_hold(loam_gc *gc)
{
    gc_lock(gc);
    gc->holds++;
    gc_unlock(gc);
}

void loam_gc_let(loam_gc *gc)
{
    gc_lock(gc);
    if (gc->holds == 0)
        die("gc: let go more often than held", gc);
    gc->holds--;
    gc_unlock(gc);
}
