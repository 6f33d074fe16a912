// gc_slab.c: chunks from the heap below, slabs cut from them, and the tables that find them again.
//
// The tables are sized when a slab is made, not when a collection begins: a collection needs no
// memory, so it cannot fail just when memory is short.
#include "own/gc.h"

#include <errno.h>
#include <loam/heap.h>
#include <string.h>

#define CHUNK_SMALL    (512 * KiB) // more than the largest slab and a page
#define CHUNK_LARGE    HUGE_SIZE
#define CHUNK_LARGE_AT (8 * MiB) // bytes held from which chunks are large
#define HEAD           64        // bytes before a large object: free() of it finds no block there
#define SLABS_FIRST    256
#define SLABS_MAX      ((u32)1 << 22) - 1 // slots are numbered in 32 bits
#define LOOKS_MAX      64
#define PAGES_SPREAD   (1 * TiB) // between the first and the last chunk

// ---------------------------------------------------------------- tables

static void *moved(void *old, size_t old_bytes, size_t bytes)
{
    void *p = os_map(round_up(bytes, OS_PAGE));
    if (p != NULL && old != NULL)
        memcpy(p, old, old_bytes);
    return p;
}

static void unmap(void *p, size_t bytes)
{
    if (p != NULL)
        os_unmap(p, round_up(bytes, OS_PAGE));
}

static size_t bitmap_bytes(size_t slabs)
{
    return slabs * GC_WORDS * sizeof(u64);
}

static int grow_slabs(loam_gc *gc)
{
    size_t was = gc->slab_room, now = was != 0 ? was * 2 : SLABS_FIRST;
    if (now > SLABS_MAX + (size_t)1)
        return -ENOMEM;
    struct span *span = moved(gc->blocks.span, was * sizeof *span, now * sizeof *span);
    struct gc_slab *slab = moved(gc->slab, was * sizeof *slab, now * sizeof *slab);
    u64 *free = moved(gc->free, bitmap_bytes(was), bitmap_bytes(now));
    u64 *left = moved(gc->left, bitmap_bytes(was), bitmap_bytes(now));
    bool ok = span != NULL && slab != NULL && free != NULL && left != NULL;
    size_t drop = ok ? was : now; // the old ones, or what there is of the new ones
    unmap(ok ? gc->blocks.span : span, drop * sizeof *span);
    unmap(ok ? gc->slab : slab, drop * sizeof *slab);
    unmap(ok ? gc->free : free, bitmap_bytes(drop));
    unmap(ok ? gc->left : left, bitmap_bytes(drop));
    if (!ok)
        return -ENOMEM;
    gc->blocks.span = span;
    gc->slab = slab;
    gc->free = free;
    gc->left = left;
    gc->slab_room = (u32)now;
    gc->blocks.slot_count = (u32)(now * GC_SLOTS - 1);
    if (gc->slab_count == 0)
        gc->slab_count = 1; // number 0 is nobody
    return 0;
}

// M1: the worklist can hold every object at once.
static int grow_work(loam_gc *gc, size_t objects)
{
    size_t need = gc->slots_used + objects + 1;
    if (need <= gc->work_room)
        return 0;
    size_t now = size_max(need, gc->work_room * 2);
    struct work *work = moved(NULL, 0, now * sizeof *work);
    if (work == NULL)
        return -ENOMEM;
    unmap(gc->work, gc->work_room * sizeof *work);
    gc->work = work;
    gc->work_room = now;
    return 0;
}

// A number for a slab of `objects`; 0 when there is no memory for its entries. Not yet taken.
static u32 next_number(loam_gc *gc, size_t objects)
{
    if (grow_work(gc, objects) < 0)
        return 0;
    if (gc->slab_free != 0)
        return gc->slab_free;
    if (gc->slab_count == gc->slab_room || gc->slab_room == 0)
        if (grow_slabs(gc) < 0)
            return 0;
    return gc->slab_count;
}

static void take_number(loam_gc *gc, u32 number, u32 objects)
{
    if (number == gc->slab_free)
        gc->slab_free = gc->slab[number].next;
    else
        gc->slab_count++;
    gc->slots_used += objects;
    gc->blocks.live_count = gc->slots_used;
    assert(gc->slots_used < gc->work_room);
}

// ---------------------------------------------------------------- pages

static void fill_pages(struct blocks *b, u32 slab, u64 from, u64 end)
{
    const struct span *s = &b->span[slab];
    u64 magic = s->single ? 0 : (((u64)1 << 48) + s->size - 1) / s->size;
    for (u64 at = (from - b->base) >> PAGE_SHIFT; at < (end - b->base) >> PAGE_SHIFT; at++)
        b->page[at] = (struct page){s->start, s->blocks * s->size, magic, s->slot, slab};
}

// Pages of a slab, whole ones.
static void extent_of(const loam_gc *gc, u32 slab, u64 *ret_from, u64 *ret_end)
{
    const struct gc_slab *s = &gc->slab[slab];
    u64 start = gc->blocks.span[slab].start;
    *ret_from = start & ~(u64)(PAGE_SIZE - 1);
    *ret_end = *ret_from + (u64)s->pages * PAGE_SIZE;
    if (s->cls == GC_LARGE) {
        *ret_from = (u64)(uintptr_t)s->chunk->at;
        *ret_end = *ret_from + s->chunk->bytes;
    }
}

// A table for [from, end) and what there is. Chunks lie near each other, in the arena.
static int grow_pages(loam_gc *gc, u64 from, u64 end)
{
    struct blocks *b = &gc->blocks;
    bool empty = b->page == NULL;
    u64 low = empty ? from : size_min(from, b->base);
    u64 high = empty ? end : size_max(end, b->base + b->extent);
    if (!empty && low == b->base && high == b->base + b->extent)
        return 0;
    if (high - low > PAGES_SPREAD)
        return -ENOMEM;
    if (!empty) // in steps of a quarter, so that this is rare
        high = size_max(high, size_min(high + (high - low) / 4, low + PAGES_SPREAD));
    high = round_up(high, PAGE_SIZE);
    size_t room = round_up(((high - low) >> PAGE_SHIFT) * sizeof(struct page), OS_PAGE);
    struct page *page = os_map(room);
    if (page == NULL)
        return -ENOMEM;
    unmap(b->page, b->page_room);
    b->page = page;
    b->page_room = room;
    b->base = low;
    b->extent = high - low;
    for (u32 i = 1; i < gc->slab_count; i++)
        if (gc->slab[i].state != GC_NONE) {
            extent_of(gc, i, &from, &end);
            fill_pages(b, i, from, end);
        }
    return 0;
}

// ---------------------------------------------------------------- chunks

size_t gc_slab_held(const loam_gc *gc)
{
    return gc->held_chunks + gc->blocks.page_room + gc->work_room * sizeof(struct work) +
           gc->slab_room * (sizeof(struct span) + sizeof(struct gc_slab)) +
           2 * bitmap_bytes(gc->slab_room);
}

// N2
static void link_chunk(loam_gc *gc, struct gc_chunk *c)
{
    struct gc_chunk **list = c->full ? &gc->full : &gc->chunks;
    owner_lock(&gc->owner);
    c->prev = NULL;
    c->next = *list;
    if (c->next != NULL)
        c->next->prev = c;
    *list = c;
    owner_unlock(&gc->owner);
}

static void unlink_chunk(loam_gc *gc, struct gc_chunk *c)
{
    owner_lock(&gc->owner);
    if (c->next != NULL)
        c->next->prev = c->prev;
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        *(c->full ? &gc->full : &gc->chunks) = c->next;
    owner_unlock(&gc->owner);
}

// Into the list where it belongs, by whether it has free pages.
static void relist_chunk(loam_gc *gc, struct gc_chunk *c)
{
    bool full = (c->free[0] | c->free[1]) == 0;
    if (full == c->full)
        return;
    unlink_chunk(gc, c);
    c->full = full;
    link_chunk(gc, c);
}

static struct gc_chunk *chunk_new(loam_gc *gc, size_t bytes, size_t align)
{
    size_t limit = gc->options.limit;
    if (limit != 0 && (bytes > limit || gc->held_chunks > limit - bytes))
        return NULL;
    struct gc_chunk *c = loam_calloc(1, sizeof *c);
    char *at = c != NULL ? loam_aligned_alloc(align, bytes) : NULL;
    u64 from = (u64)(uintptr_t)at;
    if (at == NULL || grow_pages(gc, from, round_up(from + bytes, PAGE_SIZE)) < 0) {
        loam_free(at);
        loam_free(c);
        return NULL;
    }
    *c = (struct gc_chunk){.at = at, .bytes = bytes, .full = true};
    link_chunk(gc, c);
    gc->held_chunks += bytes;
    return c;
}

static void chunk_free(loam_gc *gc, struct gc_chunk *c)
{
    unlink_chunk(gc, c);
    gc->held_chunks -= c->bytes;
    loam_free(c->at);
    loam_free(c);
}

static u32 chunk_pages(const struct gc_chunk *c)
{
    return (u32)(c->bytes >> PAGE_SHIFT);
}

static bool page_free(const struct gc_chunk *c, u32 i)
{
    return c->free[i / 64] >> (i & 63) & 1;
}

// Taken pages become free, or free ones taken.
static void turn_pages(struct gc_chunk *c, u32 at, u32 pages)
{
    for (u32 i = at; i < at + pages; i++) {
        c->free[i / 64] ^= (u64)1 << (i & 63);
    }
}

// The first run of `pages` free pages; -1 if there is none. What begins at page 0 loses its first
// object, so only slabs of one page, whose objects are small, do.
static int find_run(const struct gc_chunk *c, u32 pages)
{
    assert((c->free[0] | c->free[1]) != 0);
    if (pages == 1)
        return c->free[0] != 0 ? __builtin_ctzll(c->free[0]) : 64 + __builtin_ctzll(c->free[1]);
    u32 run = 0;
    for (u32 i = 1; i < chunk_pages(c); i++) {
        run = page_free(c, i) ? run + 1 : 0;
        if (run == pages)
            return (int)(i + 1 - pages);
    }
    return -1;
}

static struct gc_chunk *slab_chunk(loam_gc *gc)
{
    bool large = gc->held_chunks >= CHUNK_LARGE_AT;
    size_t bytes = large ? CHUNK_LARGE : CHUNK_SMALL;
    struct gc_chunk *c = chunk_new(gc, bytes, large ? CHUNK_LARGE : PAGE_SIZE);
    if (c == NULL && large) // near the limit
        c = chunk_new(gc, bytes = CHUNK_SMALL, PAGE_SIZE);
    if (c == NULL)
        return NULL;
    if (bytes == CHUNK_LARGE)
        os_want_huge(c->at, bytes);
    u32 pages = chunk_pages(c);
    c->free[0] = pages >= 64 ? ~(u64)0 : ((u64)1 << pages) - 1;
    c->free[1] = pages >= 128 ? ~(u64)0 : 0;
    relist_chunk(gc, c);
    return c;
}

// Those that have a free page at all; a run of several is not looked for everywhere.
static struct gc_chunk *chunk_with(loam_gc *gc, u32 pages, int *ret_at)
{
    unsigned looked = 0;
    for (struct gc_chunk *c = gc->chunks; c != NULL && looked < LOOKS_MAX; c = c->next, looked++)
        if ((*ret_at = find_run(c, pages)) >= 0)
            return c;
    struct gc_chunk *c = slab_chunk(gc);
    if (c != NULL)
        *ret_at = find_run(c, pages);
    assert(c == NULL || *ret_at >= 0);
    return c;
}

// ---------------------------------------------------------------- slabs

static void shape_of(const loam_gc *gc, unsigned kind, struct span *s)
{
    s->shape = gc->type[kind].shape;
    s->shape_words = (u8)gc->type[kind].words;
}

u32 gc_slab_new(loam_gc *gc, unsigned kind, unsigned cls)
{
    const struct class_info *info = &class_info[cls];
    u32 number = next_number(gc, info->blocks);
    int at = 0;
    struct gc_chunk *c = number != 0 ? chunk_with(gc, info->pages, &at) : NULL;
    if (c == NULL)
        return 0;
    turn_pages(c, (u32)at, info->pages);
    relist_chunk(gc, c);
    take_number(gc, number, info->blocks);
    gc->slab[number] = (struct gc_slab){.blocks = info->blocks,
                                        .first = at == 0,
                                        .state = GC_FULL,
                                        .cls = (u8)cls,
                                        .kind = (u8)kind,
                                        .pages = info->pages,
                                        .chunk = c};
    struct span *s = &gc->blocks.span[number];
    char *start = c->at + (size_t)at * PAGE_SIZE;
    *s = (struct span){.start = (u64)(uintptr_t)start,
                       .size = info->size,
                       .image = start,
                       .slot = number * GC_SLOTS,
                       .blocks = info->blocks};
    shape_of(gc, kind, s);
    u64 *free = gc_words(gc->free, number);
    for (u32 w = 0; w < GC_WORDS; w++)
        free[w] = w < gc_slab_words(&gc->slab[number]) ? gc_valid(&gc->slab[number], w) : 0;
    fill_pages(&gc->blocks, number, s->start, s->start + (u64)info->pages * PAGE_SIZE);
    return number;
}

u32 gc_slab_large(loam_gc *gc, unsigned kind, size_t size, size_t align)
{
    size_t head = size_max(HEAD, align);
    size_t bytes = round_up(head + size_max(size, 8), PAGE_SIZE);
    u32 number = next_number(gc, 1);
    struct gc_chunk *c = number != 0 ? chunk_new(gc, bytes, size_max(align, PAGE_SIZE)) : NULL;
    if (c == NULL)
        return 0;
    c->large = true;
    memset(c->at, 0, bytes);
    take_number(gc, number, 1);
    gc->slab[number] = (struct gc_slab){
        .blocks = 1, .state = GC_FULL, .cls = GC_LARGE, .kind = (u8)kind, .chunk = c};
    struct span *s = &gc->blocks.span[number];
    *s = (struct span){.start = (u64)(uintptr_t)c->at + head,
                       .size = bytes - head,
                       .asked = bytes - head,
                       .image = c->at + head,
                       .slot = number * GC_SLOTS,
                       .blocks = 1,
                       .single = true};
    shape_of(gc, kind, s);
    *gc_words(gc->free, number) = 0;
    u64 from = (u64)(uintptr_t)c->at;
    fill_pages(&gc->blocks, number, from, from + bytes);
    return number;
}

static bool wholly_free(const struct gc_chunk *c)
{
    u32 pages = chunk_pages(c);
    return c->free[0] == (pages >= 64 ? ~(u64)0 : ((u64)1 << pages) - 1) &&
           c->free[1] == (pages >= 128 ? ~(u64)0 : 0);
}

void gc_slab_give(loam_gc *gc, u32 number)
{
    struct gc_slab *s = &gc->slab[number];
    assert(s->state == GC_FULL);
    struct gc_chunk *c = s->chunk;
    u64 from, end;
    extent_of(gc, number, &from, &end);
    memset(&gc->blocks.page[(from - gc->blocks.base) >> PAGE_SHIFT], 0,
           ((end - from) >> PAGE_SHIFT) * sizeof(struct page)); // G3
    gc->slots_used -= s->blocks;
    gc->blocks.live_count = gc->slots_used;
    if (!c->large) {
        turn_pages(c, (u32)((from - (u64)(uintptr_t)c->at) >> PAGE_SHIFT), s->pages);
        relist_chunk(gc, c);
    }
    if (c->large)
        chunk_free(gc, c);
    *s = (struct gc_slab){.next = gc->slab_free};
    gc->slab_free = number;
}

void gc_slab_trim(loam_gc *gc, size_t keep)
{
    for (struct gc_chunk *next, *c = gc->chunks; c != NULL && gc->held_chunks > keep; c = next) {
        next = c->next;
        if (wholly_free(c))
            chunk_free(gc, c);
    }
}

void gc_slab_done(loam_gc *gc)
{
    while (gc->chunks != NULL)
        chunk_free(gc, gc->chunks);
    while (gc->full != NULL)
        chunk_free(gc, gc->full);
    unmap(gc->blocks.page, gc->blocks.page_room);
    unmap(gc->blocks.span, gc->slab_room * sizeof(struct span));
    unmap(gc->slab, gc->slab_room * sizeof(struct gc_slab));
    unmap(gc->free, bitmap_bytes(gc->slab_room));
    unmap(gc->left, bitmap_bytes(gc->slab_room));
    unmap(gc->work, gc->work_room * sizeof(struct work));
}
