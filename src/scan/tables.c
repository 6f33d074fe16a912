// tables.c: reading the heap's tables from a target that may be broken or hostile.
//
// A span whose descriptor makes no sense ends the scan (-EBADMSG) instead of being skipped: with
// one span missing, whatever only that span points to would be told as a leak, and a wrong report
// is worse than none.
#include "scan/tables.h"

#include "heap/class.h"

#include <errno.h>
#include <string.h>

#define ADDRESS_MAX   ((u64)1 << 56) // above any user address of the machines we run on
#define FAR_MAX       ((u64)1 << 20) // entries of the far table that we are ready to read
#define SLOTS_MAX     ((u64)1 << 31) // slots are u32
#define SLAB_REACH    ((u64)1 << 20) // so that offset * magic stays below 2^64
#define DESCS_AT_ONCE 2048           // 64 KiB of descriptors a read, 32 MiB of arena
#define SLABS_AT_ONCE 256
#define TAGS_AT_ONCE  512
#define HEAPS_AT_ONCE 64

// ---------------------------------------------------------------- the root

static bool table_ok(u64 at, u64 count, u64 size)
{
    return at != 0 && at % 8 == 0 && at < ADDRESS_MAX && count <= (ADDRESS_MAX - at) / size;
}

static bool root_ok(const struct root *r)
{
    if (r->heaps_count > HEAPS_MAX || r->far_count > FAR_MAX || r->pages > ARENA_PAGES_MAX)
        return false;
    if (r->heaps_count != 0 && !table_ok(r->heaps, r->heaps_count + 1, 8))
        return false;
    if (r->far_count != 0 && !table_ok(r->far, r->far_count, sizeof(struct far_block)))
        return false;
    if (r->base == 0 || r->pages == 0)
        return true;
    return r->base % PAGE_SIZE == 0 && table_ok(r->base, r->pages, PAGE_SIZE) &&
           table_ok(r->desc, r->pages, sizeof(struct desc)) &&
           table_ok(r->side, r->pages, sizeof(struct side)) &&
           table_ok(r->remote, r->pages, sizeof(struct remote));
}

int tables_root(struct target *t, u64 at, struct root *ret_root)
{
    struct heap_root h;
    memset(&h, 0, sizeof h);
    int e = target_read(t, at, &h, sizeof h);
    if (e < 0)
        return e;
    if (h.magic != HEAP_ROOT_MAGIC || h.version != HEAP_ROOT_VERSION || h.page_shift != PAGE_SHIFT)
        return -EBADMSG;
    struct root r = {
        .base = h.base,
        .pages = atomic_load_explicit(&h.pages, memory_order_relaxed),
        .desc = h.desc,
        .side = h.side,
        .remote = h.remote,
        .heaps = h.heaps,
        .heaps_count = atomic_load_explicit(&h.heaps_count, memory_order_relaxed),
        .far = h.far,
        .far_count = h.far_count,
        .chunks = h.chunks,
        .owners = h.owners,
    };
    if (r.base == 0)
        r.pages = 0;
    if (!root_ok(&r))
        return -EBADMSG;
    *ret_root = r;
    return 0;
}

// ---------------------------------------------------------------- spans

static bool desc_ok(const struct desc *d, u64 pages_left)
{
    if (d->pages == 0 || d->pages > pages_left)
        return false;
    u64 bytes = (u64)d->pages << PAGE_SHIFT;
    if (d->kind == PAGE_LARGE)
        return d->bytes != 0 && d->bytes <= bytes;
    return d->cls < CLASS_COUNT && d->blocks != 0 && d->blocks <= SLAB_BLOCKS_MAX &&
           (u64)d->blocks * desc_size(d) <= bytes && bytes <= SLAB_REACH;
}

static struct span *add_span(struct blocks *b, u64 start, u64 size, u32 blocks)
{
    assert(blocks != 0);
    assert(b->slot_count % 64 == 0);
    assert(b->span_count < b->span_room / sizeof *b->span);
    struct span *s = &b->span[b->span_count++];
    s->start = start;
    s->size = size;
    s->blocks = blocks;
    s->slot = b->slot_count;
    b->slot_count += (u32)round_up(blocks, 64);
    return s;
}

static struct page page_of(const struct blocks *b, u32 span)
{
    const struct span *s = &b->span[span];
    return (struct page){
        .start = s->start,
        .reach = s->size * s->blocks,
        // Rounded up, and exact for every offset below 2^20: the error of the product stays under
        // offset * size < 2^40, far from the 2^48 that would carry into the index.
        .magic = s->blocks > 1 ? (((u64)1 << 48) + s->size - 1) / s->size : 0,
        .slot = s->slot,
        .span = span,
    };
}

static void add_arena_span(struct blocks *b, const struct root *r, u64 page, const struct desc *d)
{
    bool single = d->kind == PAGE_LARGE;
    u64 start = r->base + (page << PAGE_SHIFT);
    struct span *s = add_span(b, start, single ? d->bytes : desc_size(d), single ? 1 : d->blocks);
    s->single = single;
    s->asked = s->size;
    s->tags = d->tags;
    struct page p = page_of(b, b->span_count - 1);
    assert(single || (p.reach - 1) * p.magic >> 48 == s->blocks - 1u); // exact to the last byte
    assert(b->span_count < 2 || s[-1].start + s[-1].size * s[-1].blocks <= s->start); // B1
    for (u64 i = 0; i < d->pages; i++)
        b->page[page + i] = p;
}

// Descriptors are read 64 KiB at a time from where the walk stands, so the parts of the table that
// belong to the inside of big spans are never touched, neither here nor in the target.
static int arena_spans(struct blocks *b, const struct root *r, struct desc *descs)
{
    u64 first = 0, count = 0;
    for (u64 page = 0; page < r->pages;) {
        if (page >= first + count) {
            first = page;
            count = size_min(DESCS_AT_ONCE, r->pages - page);
            memset(descs, 0, count * sizeof *descs);
            int e = target_read(b->target, r->desc + page * sizeof *descs, descs,
                                count * sizeof *descs);
            if (e < 0)
                return e;
        }
        const struct desc *d = &descs[page - first];
        if (d->kind != PAGE_SLAB && d->kind != PAGE_LARGE) {
            page++; // PAGE_NONE, or a tail that lost its head while a span was being made
            continue;
        }
        if (!desc_ok(d, r->pages - page) || b->slot_count > SLOTS_MAX)
            return -EBADMSG;
        add_arena_span(b, r, page, d);
        page += d->pages;
    }
    return 0;
}

static void sort_far(struct span *s, u32 count)
{
    // Insertion sort: blocks outside the arena are of a terabyte or came when the arena could
    // grow no more, so they are few, and the table is filled nearly in order.
    for (u32 i = 1; i < count; i++) {
        struct span x = s[i];
        u32 j = i;
        for (; j > 0 && s[j - 1].start > x.start; j--)
            s[j] = s[j - 1];
        s[j] = x;
    }
}

static int far_spans(struct blocks *b, const struct root *r, struct far_block *far)
{
    int e = target_read(b->target, r->far, far, r->far_count * sizeof *far);
    if (e < 0)
        return e;
    b->far_first = b->span_count;
    for (u64 i = 0; i < r->far_count; i++) {
        u64 addr = atomic_load_explicit(&far[i].addr, memory_order_relaxed);
        if (addr < PAGE_SIZE) // free, or being filled
            continue;
        if (far[i].usable == 0 || !table_ok(addr, far[i].usable, 1) ||
            (addr < r->base + (r->pages << PAGE_SHIFT) && addr + far[i].usable > r->base))
            return -EBADMSG;
        struct span *s = add_span(b, addr, far[i].usable, 1);
        s->single = true;
        s->asked = ((u64)far[i].tag[3] << 32 | far[i].tag[2]) << 16 | far[i].tag[1] >> 16;
        if (far[i].tag[0] == 0 || s->asked > s->size)
            s->asked = s->size;
        s->tags = far[i].tag[0]; // the tag itself, until there is a table to put it in
    }
    sort_far(b->span + b->far_first, b->span_count - b->far_first);
    return 0;
}

// B1 for the spans outside the arena, and their pages.
static int far_close(struct blocks *b)
{
    u32 count = b->span_count - b->far_first;
    if (count == 0)
        return 0;
    b->far_room = count * sizeof *b->far;
    b->far = b->target->map(b->target, b->far_room);
    if (b->far == NULL)
        return -ENOMEM;
    for (u32 i = 0; i < count; i++) {
        b->far[i] = page_of(b, b->far_first + i);
        if (i > 0 && b->far[i].start - b->far[i - 1].start < b->far[i - 1].reach)
            return -EBADMSG;
    }
    b->far_base = b->far[0].start;
    b->far_end = b->far[count - 1].start + b->far[count - 1].reach;
    return 0;
}

int tables_spans(struct blocks *b, const struct root *r)
{
    struct target *t = b->target;
    b->base = r->base;
    b->extent = r->pages << PAGE_SHIFT;
    b->page_room = (r->pages + 1) * sizeof *b->page;
    b->span_room = (r->pages + r->far_count + 1) * sizeof *b->span;
    b->page = t->map(t, b->page_room);
    b->span = t->map(t, b->span_room);
    size_t room = DESCS_AT_ONCE * sizeof(struct desc) + r->far_count * sizeof(struct far_block);
    char *scratch = t->map(t, room);
    int e = -ENOMEM;
    if (b->page != NULL && b->span != NULL && scratch != NULL) {
        e = arena_spans(b, r, (struct desc *)scratch);
        b->far_first = b->span_count;
        if (e == 0 && r->far_count != 0)
            e = far_spans(b, r,
                          (struct far_block *)(scratch + DESCS_AT_ONCE * sizeof(struct desc)));
        if (e == 0)
            e = far_close(b);
    }
    if (scratch != NULL)
        t->unmap(t, scratch, room);
    return e;
}

// ---------------------------------------------------------------- live blocks

struct slab_scratch {
    struct side side[SLABS_AT_ONCE];
    struct remote remote[SLABS_AT_ONCE];
    u32 span[SLABS_AT_ONCE];
    struct piece piece[2 * SLABS_AT_ONCE];
};

// The blocks that word `w` of a bitmap over `blocks` blocks stands for.
static u64 valid_word(u32 blocks, u32 w)
{
    u32 left = blocks - w * 64;
    return left >= 64 ? ~(u64)0 : ((u64)1 << left) - 1;
}

static void slab_live(struct blocks *b, const struct span *s, const struct side *side,
                      const struct remote *remote)
{
    for (u32 w = 0; w * 64 < s->blocks; w++) {
        u64 gone = side->free[w] | atomic_load_explicit(&remote->bits[w], memory_order_relaxed);
        assert(s->slot / 64 + w < b->slot_room / 64);
        b->live[s->slot / 64 + w] = valid_word(s->blocks, w) & ~gone; // S1, but for windows
    }
}

static int slabs_flush(struct blocks *b, const struct root *r, struct slab_scratch *x, u32 count)
{
    assert(count <= SLABS_AT_ONCE);
    memset(x->side, 0, count * sizeof *x->side);
    memset(x->remote, 0, count * sizeof *x->remote);
    for (u32 i = 0; i < count; i++) {
        u64 page = (b->span[x->span[i]].start - r->base) >> PAGE_SHIFT;
        x->piece[2 * i] =
            (struct piece){r->side + page * sizeof *x->side, &x->side[i], sizeof *x->side};
        x->piece[2 * i + 1] =
            (struct piece){r->remote + page * sizeof *x->remote, &x->remote[i], sizeof *x->remote};
    }
    int e = b->target->read(b->target, x->piece, 2 * count);
    for (u32 i = 0; e == 0 && i < count; i++)
        slab_live(b, &b->span[x->span[i]], &x->side[i], &x->remote[i]);
    return e;
}

static int slabs_live(struct blocks *b, const struct root *r, struct slab_scratch *x)
{
    u32 count = 0;
    for (u32 i = 0; i < b->span_count; i++) {
        const struct span *s = &b->span[i];
        if (s->single) {
            b->live[s->slot / 64] = 1;
            continue;
        }
        x->span[count++] = i;
        if (count < SLABS_AT_ONCE)
            continue;
        int e = slabs_flush(b, r, x, count);
        if (e < 0)
            return e;
        count = 0;
    }
    return count != 0 ? slabs_flush(b, r, x, count) : 0;
}

struct window_ctx {
    struct blocks *b;
    const struct root *r;
};

// W1: what a window still holds does not count as free in the side table.
static int window_live(struct window_ctx *c, const struct window *w)
{
    const struct root *r = c->r;
    u64 offset = (u64)(uintptr_t)w->free - r->side;
    assert(w->free != NULL);
    u64 page = offset / sizeof(struct side);
    u64 in_side = offset % sizeof(struct side) - offsetof(struct side, free);
    if (page >= r->pages || in_side % 8 != 0 || in_side / 8 >= SLAB_WORDS)
        return -EBADMSG;
    u32 word = (u32)(in_side / 8);
    const struct page *p = &c->b->page[page];
    const struct span *s = &c->b->span[p->span];
    if (p->reach == 0 || s->single || s->start != r->base + (page << PAGE_SHIFT) ||
        word * 64 >= s->blocks)
        return -EBADMSG;
    c->b->live[s->slot / 64 + word] &= ~w->word;
    return 0;
}

static int heap_live(void *ctx, const void *heap)
{
    struct window_ctx *c = ctx;
    const struct heap *h = heap;
    c->b->busy += h->busy != 0;
    for (u32 i = 0; i < CLASS_COUNT; i++) {
        if (h->window[i].free == NULL || h->window[i].word == 0)
            continue;
        int e = window_live(c, &h->window[i]);
        if (e < 0)
            return e;
    }
    return 0;
}

int tables_live(struct blocks *b, const struct root *r)
{
    struct target *t = b->target;
    struct slab_scratch *x = t->map(t, sizeof *x);
    if (x == NULL)
        return -ENOMEM;
    int e = slabs_live(b, r, x);
    t->unmap(t, x, sizeof *x);
    struct window_ctx c = {b, r};
    if (e == 0)
        e = tables_heaps(t, r, sizeof(struct heap), heap_live, &c);
    b->live_count = 0;
    for (u32 w = 0; e == 0 && w < b->slot_count / 64; w++)
        b->live_count += (u64)__builtin_popcountll(b->live[w]);
    return e;
}

// ---------------------------------------------------------------- heaps

struct heap_scratch {
    u64 at[HEAPS_MAX + 1];
    struct heap heap[HEAPS_AT_ONCE];
    struct piece piece[HEAPS_AT_ONCE];
};

static int heaps_flush(struct target *t, struct heap_scratch *x, u32 count,
                       int (*each)(void *ctx, const void *heap), void *ctx)
{
    assert(count <= HEAPS_AT_ONCE);
    memset(x->heap, 0, count * sizeof *x->heap);
    int e = t->read(t, x->piece, count);
    for (u32 i = 0; e == 0 && i < count; i++)
        e = each(ctx, &x->heap[i]);
    return e;
}

static int heaps_read(struct target *t, const struct root *r, struct heap_scratch *x, size_t bytes,
                      int (*each)(void *ctx, const void *heap), void *ctx)
{
    int e = target_read(t, r->heaps, x->at, (r->heaps_count + 1) * sizeof *x->at);
    u32 count = 0;
    for (u64 i = 0; e == 0 && i <= r->heaps_count; i++) {
        if (x->at[i] != 0) {
            x->piece[count] = (struct piece){x->at[i], &x->heap[count], bytes};
            count++;
        }
        if (count == HEAPS_AT_ONCE || i == r->heaps_count) {
            e = heaps_flush(t, x, count, each, ctx);
            count = 0;
        }
    }
    return e;
}

int tables_heaps(struct target *t, const struct root *r, size_t bytes,
                 int (*each)(void *ctx, const void *heap), void *ctx)
{
    assert(bytes <= sizeof(struct heap));
    if (r->heaps_count == 0)
        return 0;
    struct heap_scratch *x = t->map(t, sizeof *x);
    if (x == NULL)
        return -ENOMEM;
    int e = heaps_read(t, r, x, bytes, each, ctx);
    t->unmap(t, x, sizeof *x);
    return e;
}

// ---------------------------------------------------------------- tags

struct tag_scratch {
    u64 two[TAGS_AT_ONCE][2]; // of single blocks
    struct piece piece[TAGS_AT_ONCE];
    u32 span[TAGS_AT_ONCE];
};

static void single_tag(struct blocks *b, struct span *s, const u64 two[2])
{
    assert(s->single);
    b->tag[s->slot] = two[0];
    u64 asked = two[1] << 16 | two[0] >> BLOCKS_ASKED_SHIFT;
    if (two[0] != 0 && asked <= s->size)
        s->asked = asked;
}

static int tags_flush(struct blocks *b, struct tag_scratch *x, u32 count)
{
    int e = b->target->read(b->target, x->piece, count);
    for (u32 i = 0; e == 0 && i < count; i++) {
        struct span *s = &b->span[x->span[i]];
        if (s->single)
            single_tag(b, s, x->two[i]);
    }
    memset(x->two, 0, sizeof x->two);
    return e;
}

static int arena_tags(struct blocks *b, u64 tags, struct tag_scratch *x)
{
    u32 count = 0;
    int e = 0;
    for (u32 i = 0; e == 0 && i < b->far_first; i++) {
        const struct span *s = &b->span[i];
        if (s->tags == 0)
            continue;
        void *to = s->single ? (void *)x->two[count] : &b->tag[s->slot];
        size_t size = s->single ? sizeof x->two[0] : s->blocks * sizeof *b->tag;
        x->piece[count] = (struct piece){tags + (u64)16 * s->tags, to, size};
        x->span[count++] = i;
        if (count == TAGS_AT_ONCE) {
            e = tags_flush(b, x, count);
            count = 0;
        }
    }
    return e == 0 && count != 0 ? tags_flush(b, x, count) : e;
}

int tables_tags(struct blocks *b, u64 tags)
{
    for (u32 i = b->far_first; i < b->span_count; i++)
        if (b->span[i].tags != 0)
            b->tag[b->span[i].slot] = b->span[i].asked << BLOCKS_ASKED_SHIFT | b->span[i].tags;
    if (tags == 0)
        return 0;
    if (!table_ok(tags, (u64)1 << 32, 16))
        return -EBADMSG;
    struct target *t = b->target;
    struct tag_scratch *x = t->map(t, sizeof *x);
    if (x == NULL)
        return -ENOMEM;
    int e = arena_tags(b, tags, x);
    t->unmap(t, x, sizeof *x);
    return e;
}
