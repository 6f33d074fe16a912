// pins.c: fragmentation, blamed on sites.
#include "target/pins.h"

#include "format/recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SITES ((size_t)1 << 20) // a tag has 20 bits for them

struct in_slab {
    u32 site, blocks;
};

struct work {
    struct pins *pins;
    struct pin *by_site; // SITES of them; touched where a site exists
    u32 sites;           // one more than the highest that was met
    struct in_slab list[SLAB_BLOCKS_MAX];
    u32 count; // of list
};

static u32 site_of(u64 word)
{
    struct tag tag;
    memcpy(&tag, &word, sizeof tag);
    return tag.site;
}

// Neighbours in a slab come from one place more often than not.
static void note(struct work *w, u32 site, u32 *hint)
{
    if (*hint < w->count && w->list[*hint].site == site) {
        w->list[*hint].blocks++;
        return;
    }
    u32 i = 0;
    while (i < w->count && w->list[i].site != site)
        i++;
    if (i == w->count)
        w->list[w->count++] = (struct in_slab){site, 0};
    w->list[i].blocks++;
    *hint = i;
}

// The slab's live blocks by site; how many there are.
static u64 list_sites(struct work *w, const struct blocks *b, const struct span *s)
{
    u64 live = 0;
    u32 hint = 0;
    w->count = 0;
    for (u32 k = 0; k * 64 < s->blocks; k++) {
        for (u64 word = b->live[s->slot / 64 + k]; word != 0; word &= word - 1) {
            u32 slot = s->slot + k * 64 + (u32)__builtin_ctzll(word);
            note(w, s->tags != 0 ? site_of(b->tag[slot]) : 0, &hint);
            live++;
        }
    }
    return live;
}

static void blame(struct work *w, const struct span *s, u64 resident, u64 live)
{
    u64 bytes = live * s->size;
    w->pins->slabs++;
    w->pins->resident += resident;
    w->pins->live += bytes;
    for (u32 i = 0; i < w->count; i++) {
        u32 site = w->list[i].site;
        struct pin *p = &w->by_site[site];
        w->sites = site < w->sites ? w->sites : site + 1;
        p->blocks += w->list[i].blocks;
        p->bytes += w->list[i].blocks * s->size;
        p->pinned += (resident - bytes) * w->list[i].blocks / live;
        p->freed += w->count == 1 ? resident : 0;
        p->slabs++;
    }
}

// ---------------------------------------------------------------- all

static u64 resident_in(const struct space *s, size_t *at, u64 start, u64 end)
{
    u64 sum = 0;
    while (*at < s->run_count && s->run[*at].end <= start)
        ++*at;
    for (size_t i = *at; i < s->run_count && s->run[i].start < end; i++) {
        const struct residence_run *r = &s->run[i];
        u64 from = r->start > start ? r->start : start, to = r->end < end ? r->end : end;
        sum += residence_takes_ram(r->state) ? to - from : 0;
    }
    return sum;
}

static u64 count_live(const struct blocks *b, const struct span *s)
{
    u64 live = 0;
    for (u32 k = 0; k * 64 < s->blocks; k++)
        live += bits_in(b->live[s->slot / 64 + k]);
    return live;
}

static void walk(struct work *w, const struct space *s)
{
    const struct blocks *b = &s->blocks;
    size_t run = 0;
    for (u32 i = 0; i < b->far_first; i++) {
        const struct span *x = &b->span[i];
        if (x->single)
            continue;
        u64 resident = resident_in(s, &run, x->start, x->start + x->size * x->blocks);
        u64 live = count_live(b, x);
        if (live == 0 || live * x->size * 2 > resident)
            continue;
        list_sites(w, b, x);
        blame(w, x, resident, live);
    }
}

static int by_weight(const void *a, const void *b)
{
    const struct pin *x = a, *y = b;
    if (x->pinned != y->pinned)
        return x->pinned < y->pinned ? 1 : -1;
    return (x->site > y->site) - (x->site < y->site);
}

static int collect(struct pins *p, const struct work *w)
{
    for (u32 i = 0; i < w->sites; i++)
        p->count += w->by_site[i].blocks != 0;
    p->pin = calloc(p->count + 1, sizeof *p->pin);
    if (p->pin == NULL)
        return -ENOMEM;
    size_t n = 0;
    for (u32 i = 0; i < w->sites; i++) {
        if (w->by_site[i].blocks == 0)
            continue;
        p->pin[n] = w->by_site[i];
        p->pin[n++].site = i;
    }
    qsort(p->pin, p->count, sizeof *p->pin, by_weight);
    return 0;
}

int pins_load(struct pins *p, const struct space *s)
{
    *p = (struct pins){0};
    if (!s->heap)
        return 0;
    struct work *w = calloc(1, sizeof *w);
    int e = -ENOMEM;
    if (w != NULL) {
        w->pins = p;
        w->by_site = calloc(SITES, sizeof *w->by_site);
    }
    if (w != NULL && w->by_site != NULL) {
        walk(w, s);
        e = collect(p, w);
    }
    free(w != NULL ? w->by_site : NULL);
    free(w);
    return e;
}

void pins_done(struct pins *p)
{
    free(p->pin);
    *p = (struct pins){0};
}
