// fake_heap.h: a small heap made by hand, for tests of what reads one from outside.
//
// The tables are the real structs at real addresses, filled without the allocator's code: a test
// says which slabs and large blocks there are and which are live. The "target" is this process,
// seen through a list of readable ranges, so a pointer into nowhere is harmless.
#pragma once

#include "heap/class.h"
#include "scan/blocks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FAKE_PAGES  256
#define FAKE_HEAPS  4
#define FAKE_RANGES 16

struct fake {
    struct target target; // first: the target is the fake
    struct heap_root root;
    struct desc desc[FAKE_PAGES];
    struct side side[FAKE_PAGES];
    struct remote remote[FAKE_PAGES];
    struct heap *heaps[FAKE_HEAPS + 1];
    struct heap heap[FAKE_HEAPS];
    struct far_block far[4];
    u64 tags[FAKE_PAGES * 1024];
    u32 tags_used;
    char *arena;
    u32 page; // next free one
    struct {
        u64 start, end;
    } range[FAKE_RANGES];
    int ranges;
    int vanish_after; // reads until the target is gone; 0 = never
    int maps_fail_after;
    long mapped; // bytes that are mapped and not unmapped
};

static inline void fake_readable(struct fake *f, const void *p, size_t size)
{
    f->range[f->ranges].start = (u64)(uintptr_t)p;
    f->range[f->ranges++].end = (u64)(uintptr_t)p + size;
}

static inline void fake_copy(const struct fake *f, const struct piece *p, int i)
{
    u64 from = p->from > f->range[i].start ? p->from : f->range[i].start;
    u64 end = p->from + p->size < f->range[i].end ? p->from + p->size : f->range[i].end;
    if (from < end)
        memcpy((char *)p->to + (from - p->from), (char *)(uintptr_t)from, end - from);
}

static inline int fake_read(struct target *t, const struct piece *p, size_t count)
{
    struct fake *f = (struct fake *)t;
    if (f->vanish_after != 0 && --f->vanish_after == 0)
        return -3; // ESRCH
    for (size_t i = 0; i < count; i++)
        for (int r = 0; r < f->ranges; r++)
            fake_copy(f, &p[i], r);
    return 0;
}

static inline void *fake_map(struct target *t, size_t size)
{
    struct fake *f = (struct fake *)t;
    if (f->maps_fail_after != 0 && --f->maps_fail_after == 0)
        return NULL;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    f->mapped += (long)size;
    return p;
}

static inline void fake_unmap(struct target *t, void *at, size_t size)
{
    ((struct fake *)t)->mapped -= (long)size;
    munmap(at, size);
}

static inline struct fake *fake_new(void)
{
    struct fake *f =
        mmap(NULL, sizeof *f, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    f->arena = mmap(NULL, (FAKE_PAGES + 1) * PAGE_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    f->arena = (char *)round_up((uintptr_t)f->arena, PAGE_SIZE);
    f->target = (struct target){fake_read, fake_map, fake_unmap};
    for (int i = 0; i < FAKE_HEAPS; i++)
        f->heaps[i + 1] = &f->heap[i];
    f->page = 1;
    f->tags_used = 2;
    f->root = (struct heap_root){
        .magic = HEAP_ROOT_MAGIC,
        .version = HEAP_ROOT_VERSION,
        .page_shift = PAGE_SHIFT,
        .base = (u64)(uintptr_t)f->arena,
        .pages = FAKE_PAGES,
        .desc = (u64)(uintptr_t)f->desc,
        .side = (u64)(uintptr_t)f->side,
        .remote = (u64)(uintptr_t)f->remote,
        .heaps = (u64)(uintptr_t)f->heaps,
        .heaps_count = FAKE_HEAPS,
        .far = (u64)(uintptr_t)f->far,
        .far_count = countof(f->far),
    };
    fake_readable(f, f, sizeof *f);
    fake_readable(f, f->arena, FAKE_PAGES * PAGE_SIZE);
    return f;
}

static inline u64 fake_root(struct fake *f)
{
    return (u64)(uintptr_t)&f->root;
}

static inline u64 fake_tags(struct fake *f)
{
    return (u64)(uintptr_t)f->tags;
}

static inline void fake_tails(struct fake *f, u32 page, u32 pages)
{
    for (u32 i = 1; i < pages; i++)
        f->desc[page + i] = (struct desc){.kind = PAGE_TAIL, .back = desc_back(i)};
    f->page = page + pages;
}

// A slab without live blocks; returns its page.
static inline u32 fake_slab(struct fake *f, u32 size, u32 blocks)
{
    u32 page = f->page, pages = (u32)((size * blocks + PAGE_SIZE - 1) / PAGE_SIZE);
    f->desc[page] = (struct desc){.kind = PAGE_SLAB,
                                  .cls = (u8)class_of(size),
                                  .blocks = (u16)blocks,
                                  .pages = pages,
                                  .tags = f->tags_used / 2};
    f->tags_used += (u32)round_up(blocks, 2);
    memset(f->side[page].free, 0xff, sizeof f->side[page].free);
    fake_tails(f, page, pages);
    return page;
}

static inline u64 *fake_block(struct fake *f, u32 page, u32 i)
{
    return (u64 *)(f->arena + page * PAGE_SIZE + (size_t)i * desc_size(&f->desc[page]));
}

// Make block i live: a request of `asked` bytes from `site`. Returns it.
static inline u64 *fake_live(struct fake *f, u32 page, u32 i, u32 asked, u32 site)
{
    f->side[page].free[i / 64] &= ~((u64)1 << (i & 63));
    f->tags[2 * f->desc[page].tags + i] = (u64)asked << BLOCKS_ASKED_SHIFT | site;
    return fake_block(f, page, i);
}

static inline u64 *fake_large(struct fake *f, u64 bytes, u64 asked, u32 site)
{
    u32 page = f->page, pages = (u32)((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    f->desc[page] =
        (struct desc){.kind = PAGE_LARGE, .bytes = bytes, .pages = pages, .tags = f->tags_used / 2};
    f->tags[f->tags_used] = asked << BLOCKS_ASKED_SHIFT | site;
    f->tags[f->tags_used + 1] = asked >> (64 - BLOCKS_ASKED_SHIFT);
    f->tags_used += 2;
    fake_tails(f, page, pages);
    return (u64 *)(f->arena + page * PAGE_SIZE);
}
