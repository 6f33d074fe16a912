#include "heap/census.h"

#include "heap/arena.h"
#include "os/chunk.h"

#include <stddef.h>
#include <string.h>

// ---------------------------------------------------------------- counting

// Blocks of word k of a slab that nobody has: free, in its owner's window, or freed by a stranger.
static u64 not_out(const struct heap *h, u32 slab, u32 k)
{
    const u64 *free = &arena.side[slab].free[k];
    u64 x = __atomic_load_n(free, __ATOMIC_RELAXED) |
            atomic_load_explicit(&arena.remote[slab].bits[k], memory_order_relaxed);
    const struct window *w = h != NULL ? &h->window[arena.desc[slab].cls] : NULL;
    if (w != NULL && __atomic_load_n(&w->free, __ATOMIC_RELAXED) == free)
        x |= __atomic_load_n(&w->word, __ATOMIC_RELAXED);
    return x;
}

// Other threads may be changing all of this: plain words, each read once.
__attribute__((no_sanitize("thread"))) static void count_slab(struct census *c, u32 slab)
{
    const struct desc *d = &arena.desc[slab];
    u32 cls = d->cls, blocks = d->blocks;
    u32 id = state_id(atomic_load_explicit(&arena.state[slab].word, memory_order_relaxed));
    const struct heap *h = id != 0 && id <= HEAPS_MAX ? the.heaps[id] : NULL;
    u64 live = 0;
    for (u32 k = 0; k * 64 < blocks; k++) {
        u32 left = blocks - k * 64;
        u64 valid = left >= 64 ? ~(u64)0 : ((u64)1 << left) - 1;
        live += bits_in(valid & ~not_out(h, slab, k));
    }
    c->cls[cls].slabs++;
    c->cls[cls].capacity += blocks;
    c->cls[cls].live += live;
    c->small_bytes += live * class_info[cls].size;
    c->slab_bytes += (u64)class_info[cls].pages << PAGE_SHIFT;
}

static void count_spans(struct census *c)
{
    u32 end = (u32)(arena_bytes() >> PAGE_SHIFT);
    u32 n;
    for (u32 page = 1; page < end; page += n) {
        const struct desc *d = &arena.desc[page];
        u8 kind = __atomic_load_n(&d->kind, __ATOMIC_ACQUIRE);
        n = kind == PAGE_SLAB || kind == PAGE_LARGE ? size_max(d->pages, 1) : 1;
        if (kind == PAGE_SLAB && d->cls < CLASS_COUNT && d->blocks <= SLAB_BLOCKS_MAX) {
            count_slab(c, page);
        } else if (kind == PAGE_LARGE) {
            c->large_blocks++;
            c->large_bytes += (u64)n << PAGE_SHIFT;
        }
    }
}

static void count_far(struct census *c)
{
    const struct far_block *f = (const struct far_block *)(uintptr_t)loam_heap_root.far;
    for (u64 i = 0; i < loam_heap_root.far_count; i++)
        if (atomic_load_explicit(&f[i].addr, memory_order_acquire) > 1) { // not free, not claimed
            c->far_blocks++;
            c->far_bytes += __atomic_load_n(&f[i].bytes, __ATOMIC_RELAXED);
        }
}

static void count_chunks(struct census *c)
{
    loam_chunk chunk;
    u64 bytes = 0;
    for (size_t i = 0; loam_mem_chunk_at(i, &chunk); i++)
        if (chunk.heap && !chunk.released) {
            c->chunks++;
            bytes += chunk.size;
        }
    u64 blocks = c->mapped_bytes + c->far_bytes;
    c->metadata_bytes = bytes > blocks ? bytes - blocks : 0;
}

void census_take(struct census *ret)
{
    *ret = (struct census){0};
    count_spans(ret);
    count_far(ret);
    struct pages_usage u;
    pages_usage(&u);
    ret->dirty_bytes = u.dirty;
    ret->clean_bytes = u.top - u.live - u.dirty;
    ret->hole_bytes = u.holes;
    ret->mapped_bytes = u.mapped;
    ret->heaps = atomic_load_explicit(&loam_heap_root.heaps_count, memory_order_relaxed);
    count_chunks(ret);
}

// ---------------------------------------------------------------- by name

static const struct figure {
    const char *name;
    size_t at;
} figures[] = {
    {"heap.small_bytes", offsetof(struct census, small_bytes)},
    {"heap.slab_bytes", offsetof(struct census, slab_bytes)},
    {"heap.hole_bytes", offsetof(struct census, hole_bytes)},
    {"heap.large_blocks", offsetof(struct census, large_blocks)},
    {"heap.large_bytes", offsetof(struct census, large_bytes)},
    {"heap.far_blocks", offsetof(struct census, far_blocks)},
    {"heap.far_bytes", offsetof(struct census, far_bytes)},
    {"heap.dirty_bytes", offsetof(struct census, dirty_bytes)},
    {"heap.clean_bytes", offsetof(struct census, clean_bytes)},
    {"heap.mapped_bytes", offsetof(struct census, mapped_bytes)},
    {"heap.metadata_bytes", offsetof(struct census, metadata_bytes)},
    {"heap.chunks", offsetof(struct census, chunks)},
    {"heap.heaps", offsetof(struct census, heaps)},
};

static const char *const class_figures[] = {"slabs", "capacity", "live", "waste_bytes"};

static u64 class_figure(const struct census *c, unsigned cls, size_t which)
{
    const struct class_count *n = &c->cls[cls];
    u64 pages = n->slabs * ((u64)class_info[cls].pages << PAGE_SHIFT);
    const u64 value[] = {n->slabs, n->capacity, n->live, pages - n->live * class_info[cls].size};
    return value[which];
}

static size_t class_name(unsigned cls, size_t which, char *out)
{
    memcpy(out, "class.", 6);
    size_t n = 6 + decimal(out + 6, class_info[cls].size);
    out[n++] = '.';
    size_t len = strlen(class_figures[which]) + 1;
    memcpy(out + n, class_figures[which], len);
    return n + len;
}

bool census_name(size_t i, char buf[CENSUS_NAME_MAX])
{
    if (i < countof(figures)) {
        memcpy(buf, figures[i].name, strlen(figures[i].name) + 1);
        return true;
    }
    i -= countof(figures);
    if (i >= CLASS_COUNT * countof(class_figures))
        return false;
    class_name((unsigned)(i / countof(class_figures)), i % countof(class_figures), buf);
    return true;
}

bool census_read(const struct census *c, const char *name, u64 *ret)
{
    for (size_t i = 0; i < countof(figures); i++)
        if (strcmp(figures[i].name, name) == 0) {
            memcpy(ret, (const char *)c + figures[i].at, sizeof *ret);
            return true;
        }
    char buf[CENSUS_NAME_MAX];
    for (unsigned cls = 0; cls < CLASS_COUNT; cls++)
        for (size_t k = 0; k < countof(class_figures); k++)
            if (class_name(cls, k, buf) > 0 && strcmp(buf, name) == 0) {
                *ret = class_figure(c, cls, k);
                return true;
            }
    return false;
}
