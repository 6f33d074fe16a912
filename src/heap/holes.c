// holes.c: memory inside sparse slabs.
//
// Nine blocks of ten are freed at random, then larger ones are allocated: each slab is pinned by
// the few blocks left in it, and allocators with size classes stay at nearly twice what is live.
// But the free bitmap tells which OS pages inside a slab hold no live block; those can go back to
// the kernel while the slab stays. That costs a system call, and a page fault if the page is used
// again, so it is done only when the heap would else grow past its recent peak, and only in slabs
// that are at most a quarter full. No free list could do it: its links lie in those pages.
#include "heap/arena.h"

// Blocks that touch bytes [from, to) of the slab are all free. A block free in the window counts
// as used there (W1), but such a slab is current and not here.
static bool all_free(u32 slab, size_t from, size_t to)
{
    const struct desc *d = &arena.desc[slab];
    const struct side *e = &arena.side[slab];
    u32 size = desc_size(d);
    u32 end = (u32)size_min((to + size - 1) / size, d->blocks);
    for (u32 i = (u32)(from / size); i < end; i++)
        if (!(e->free[i >> 6] >> (i & 63) & 1))
            return false;
    return true;
}

// Give back a slab's OS pages [first, end); returns how many.
static u32 give(u32 slab, u32 first, u32 end)
{
    if (first == end ||
        os_purge(page_addr(slab) + first * the.os_page, (end - first) * the.os_page) != 0)
        return 0;
    for (u32 i = first; i < end; i++)
        arena.side[slab].holes |= (u64)1 << i;
    return end - first;
}

static u32 give_holes(u32 slab)
{
    u32 pages = (u32)(((size_t)arena.desc[slab].pages << PAGE_SHIFT) / the.os_page);
    u32 given = 0, run = 0; // [run, i) can go
    for (u32 i = 0; i < size_min(pages, 64); i++) {
        bool hole = arena.side[slab].holes >> i & 1;
        if (!hole && all_free(slab, i * the.os_page, (i + 1) * the.os_page))
            continue;
        given += give(slab, run, i);
        run = i + 1;
    }
    return given + give(slab, run, (u32)size_min(pages, 64));
}

void holes_give(struct heap *h, size_t bytes)
{
    size_t given = idle_give(h, bytes);
    for (unsigned cls = 0; cls < CLASS_COUNT && given < bytes; cls++) {
        u32 *sparse = &h->cls[cls].list[SLAB_SPARSE];
        while (*sparse != 0 && given < bytes) {
            u32 slab = *sparse;
            u32 n = give_holes(slab);
            pages_holes((long)n);
            given += n * the.os_page;
            slab_unlink(sparse, slab);
            arena.side[slab].where = SLAB_HOLED; // looked at, even if there was no hole
            slab_link(&h->cls[cls].list[SLAB_HOLED], slab);
        }
    }
}

void holes_forget(u32 slab)
{
    struct side *e = &arena.side[slab];
    if (e->holes != 0)
        pages_holes(-(long)bits_in(e->holes));
    e->holes = 0;
}
