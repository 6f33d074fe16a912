// spans.c: see spans.h.
#include "scan/spans.h"

#include "heap/heap.h"
#include "scan/tables.h"

#include <errno.h>
#include <string.h>

#define DESCS 2048 // read at a time: 64 KiB

struct scratch {
    struct desc desc[DESCS];
    u64 tag[DESCS][2];
    struct piece piece[DESCS];
    u32 which[DESCS]; // of desc
};

static bool is_wanted(const struct desc *d, u64 pages_left)
{
    return d->kind == PAGE_LARGE && d->tags != 0 && d->pages != 0 && d->pages <= pages_left &&
           d->bytes <= (u64)d->pages << PAGE_SHIFT;
}

// The wanted ones of `count` descriptors, the first being that of `page`. Returns the page to go on
// from, which may lie behind them: pages inside of a span have nothing to say.
static u64 choose(struct scratch *x, const struct root *r, u64 tags, u64 page, u64 count,
                  u32 *ret_chosen)
{
    u64 at = page;
    u32 n = 0;
    while (at < page + count) {
        const struct desc *d = &x->desc[at - page];
        bool first = d->kind == PAGE_SLAB || d->kind == PAGE_LARGE;
        if (is_wanted(d, r->pages - at)) {
            x->which[n] = (u32)(at - page);
            x->piece[n] = (struct piece){tags + (u64)16 * d->tags, x->tag[n], sizeof x->tag[n]};
            n++;
        }
        at += first && d->pages != 0 && d->pages <= r->pages - at ? d->pages : 1;
    }
    *ret_chosen = n;
    return at;
}

static void tell(const struct scratch *x, const struct root *r, u64 page, u32 chosen,
                 void (*each)(void *ctx, const struct large *l), void *ctx)
{
    for (u32 i = 0; i < chosen; i++) {
        const struct desc *d = &x->desc[x->which[i]];
        u64 asked = x->tag[i][1] << 16 | x->tag[i][0] >> BLOCKS_ASKED_SHIFT;
        const struct large l = {r->base + ((page + x->which[i]) << PAGE_SHIFT), asked,
                                x->tag[i][0]};
        if (l.tag != 0 && asked <= d->bytes)
            each(ctx, &l);
    }
}

static int walk(struct target *t, const struct root *r, u64 tags, struct scratch *x,
                void (*each)(void *ctx, const struct large *l), void *ctx)
{
    u64 next;
    for (u64 page = 1; page < r->pages; page = next) { // page 0 never belongs to a span
        u64 count = size_min(DESCS, r->pages - page);
        u32 chosen;
        memset(x->desc, 0, sizeof x->desc);
        memset(x->tag, 0, sizeof x->tag);
        int e =
            target_read(t, r->desc + page * sizeof x->desc[0], x->desc, count * sizeof x->desc[0]);
        if (e < 0)
            return e;
        next = choose(x, r, tags, page, count, &chosen);
        e = chosen != 0 ? t->read(t, x->piece, chosen) : 0;
        if (e < 0)
            return e;
        tell(x, r, page, chosen, each, ctx);
    }
    return 0;
}

int spans_large(struct target *t, u64 root, u64 tags,
                void (*each)(void *ctx, const struct large *l), void *ctx)
{
    struct root r;
    int e = tables_root(t, root, &r);
    if (e < 0 || tags == 0)
        return e;
    struct scratch *x = t->map(t, sizeof *x);
    if (x == NULL)
        return -ENOMEM;
    e = walk(t, &r, tags, x, each, ctx);
    t->unmap(t, x, sizeof *x);
    return e;
}
