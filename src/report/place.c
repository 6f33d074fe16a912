// place.c: one hash over the innermost frames, then qsort by whatever is asked.

#include "report/place.h"

#include <stdlib.h>
#include <string.h>

static bool same_frames(const struct site *a, const struct site *b, u32 depth)
{
    u32 n = a->frames_count < depth ? a->frames_count : depth;
    u32 n_b = b->frames_count < depth ? b->frames_count : depth;
    if (n != n_b)
        return false;
    for (u32 i = 0; i < n; i++) {
        if (a->frames[i] != b->frames[i])
            return false;
    }
    return true;
}

static u64 frames_key(const struct site *s, u32 depth)
{
    u64 key = s->frames_count < depth ? s->frames_count : depth;
    for (u32 i = 0; i < s->frames_count && i < depth; i++)
        key = table_mix(key, s->frames[i]);
    return key;
}

static void add_amount(struct amount *sum, struct amount a)
{
    sum->bytes += a.bytes;
    sum->blocks += a.blocks;
}

static u64 site_weight(const struct site *s)
{
    return s->direct.bytes + s->indirect.bytes + s->cycle.bytes + s->live.bytes + s->at_peak;
}

static void add_churn(struct churn *sum, const struct churn *c)
{
    sum->capacity += c->capacity;
    sum->temporaries += c->temporaries;
    sum->temporary_bytes += c->temporary_bytes;
    sum->reallocs += c->reallocs;
    sum->chains += c->chains;
    sum->copied_bytes += c->copied_bytes;
}

static void add_lives(u64 sum[LIVES_COUNT], const u64 *lives, u32 count)
{
    for (u32 i = 0; i < count; i++)
        sum[i] += lives[i];
}

struct place_sum {
    struct churn churn;
    u64 lives[LIVES_COUNT];
};

// Most places of a big recording have one site: a copy of its churn would be half of them.
static void place_add_churn(struct store *store, struct place *p, const struct site *s)
{
    if (p->churn == NULL) {
        p->churn = &s->churn;
        p->lifetimes = s->lifetimes;
        return;
    }
    struct place_sum *sum =
        p->summed ? (struct place_sum *)p->churn : store_push(store, sizeof *sum);
    if (!p->summed) {
        sum->churn = *p->churn;
        add_lives(sum->lives, p->lifetimes.lives, p->lifetimes.count);
    }
    add_churn(&sum->churn, &s->churn);
    add_lives(sum->lives, s->lifetimes.lives, s->lifetimes.count);
    p->churn = &sum->churn;
    p->lifetimes.lives = sum->lives;
    if (p->lifetimes.count < s->lifetimes.count)
        p->lifetimes.count = s->lifetimes.count;
    p->summed = true;
}

static void place_add(struct store *store, struct place *p, struct site *s,
                      const struct process *peak)
{
    // The heaviest stack stands for all.
    if (p->sample == NULL || site_weight(s) > site_weight(p->sample))
        p->sample = s;
    s->place = p;
    if (s->allocs != 0 && (p->allocs == 0 || s->smallest < p->smallest))
        p->smallest = s->smallest;
    p->allocs += s->allocs;
    p->alloc_bytes += s->alloc_bytes;
    p->frees += s->frees;
    p->free_bytes += s->free_bytes;
    p->largest = p->largest > s->largest ? p->largest : s->largest;
    place_add_churn(store, p, s);
    p->samples += s->samples;
    p->large_bytes += s->large_bytes;
    p->untouched_bytes += s->untouched_bytes;
    add_amount(&p->direct, s->direct);
    add_amount(&p->indirect, s->indirect);
    add_amount(&p->cycle, s->cycle);
    add_amount(&p->reachable, s->reachable);
    if ((s->process->flags & PROCESS_EXECED) == 0) {
        add_amount(&p->live, s->live);
        p->live_capacity += s->live_capacity;
        p->live_samples += s->live_samples;
    }
    if (s->process == peak)
        p->at_peak += s->at_peak;
}

struct places places_merge(struct model *m, u32 depth)
{
    struct places all = {.items = calloc(m->sites_count + 1, sizeof *all.items)};
    if (all.items == NULL)
        die("loam: no memory for the report", NULL);
    struct table by_key = {0}, stacks = {0};
    const struct process *peak = totals_of(m).peak;
    depth = depth == 0 ? RECORDING_FRAMES : depth;
    for (u32 i = 0; i < m->sites_count; i++) {
        struct site *s = &m->sites[i];
        u64 key = frames_key(s, depth);
        struct place *first = table_get(&by_key, key), *p = first;
        while (p != NULL && !same_frames(p->sample, s, depth))
            p = p->next;
        if (p == NULL) {
            p = store_push(&m->store, sizeof *p);
            p->next = first;
            table_put(&by_key, key, p);
            all.items[all.count++] = p;
        }
        place_add(&m->store, p, s, peak);
        // The same stack in another process is no other way.
        u64 whole = table_mix(frames_key(s, RECORDING_FRAMES), key);
        p->ways += table_get(&stacks, whole) == NULL;
        table_put(&stacks, whole, s);
    }
    table_done(&by_key);
    table_done(&stacks);
    return all;
}

void places_join(struct places *p, struct model *m, struct place *const *into)
{
    const struct process *peak = totals_of(m).peak;
    u32 kept = 0;
    for (u32 i = 0; i < p->count; i++)
        p->items[i]->number = i;
    for (u32 i = 0; i < m->sites_count; i++) {
        struct place *to = into[m->sites[i].place->number];
        if (to != NULL)
            place_add(&m->store, to, &m->sites[i], peak);
    }
    for (u32 i = 0; i < p->count; i++) {
        if (into[i] != NULL)
            into[i]->ways += p->items[i]->ways;
        else
            p->items[kept++] = p->items[i];
    }
    p->count = kept;
}

void places_done(struct places *p)
{
    free(p->items);
    *p = (struct places){0};
}

u64 place_bytes(const struct place *p, enum measure measure)
{
    switch (measure) {
    case BY_LEAK:
        return leaked_bytes(p->direct, p->indirect, p->cycle);
    case BY_LIVE:
        return p->live.bytes;
    case BY_PEAK:
        return p->at_peak;
    case BY_REACHABLE:
        return p->reachable.bytes;
    }
    return 0;
}

u64 place_blocks(const struct place *p, enum measure measure)
{
    switch (measure) {
    case BY_LEAK:
        return p->direct.blocks + p->indirect.blocks + p->cycle.blocks;
    case BY_LIVE:
        return p->live.blocks;
    case BY_PEAK:
        return 0; // blocks are not counted at the peak
    case BY_REACHABLE:
        return p->reachable.blocks;
    }
    return 0;
}

static int compare_frames(const struct site *a, const struct site *b)
{
    for (u32 i = 0; i < a->frames_count && i < b->frames_count; i++) {
        const struct frame x = site_frame(a, i), y = site_frame(b, i);
        int r = x.module == y.module ? 0
                                     : strcmp(x.module == NULL ? "" : x.module->path,
                                              y.module == NULL ? "" : y.module->path);
        if (r != 0)
            return r;
        if (x.offset != y.offset)
            return x.offset < y.offset ? -1 : 1;
    }
    return (a->frames_count > b->frames_count) - (a->frames_count < b->frames_count);
}

static int compare_places(const void *a, const void *b, void *measure)
{
    const struct place *x = *(struct place *const *)a, *y = *(struct place *const *)b;
    enum measure by = *(enum measure *)measure;
    u64 bytes_x = place_bytes(x, by), bytes_y = place_bytes(y, by);
    if (bytes_x != bytes_y)
        return bytes_x > bytes_y ? -1 : 1;
    u64 blocks_x = place_blocks(x, by), blocks_y = place_blocks(y, by);
    if (blocks_x != blocks_y)
        return blocks_x > blocks_y ? -1 : 1;
    return compare_frames(x->sample, y->sample);
}

u32 places_sort(struct places *p, enum measure measure)
{
    qsort_r(p->items, p->count, sizeof *p->items, compare_places, &measure);
    for (u32 i = 0; i < p->count; i++)
        p->items[i]->number = i;
    u32 n = 0;
    while (n < p->count &&
           (place_bytes(p->items[n], measure) != 0 || place_blocks(p->items[n], measure) != 0))
        n++;
    return n;
}

u32 place_error(u64 samples)
{
    u32 percent = samples == 0 ? 0 : 100;
    while (percent > 1 && (u64)percent * percent * samples > 10000)
        percent--;
    return percent;
}

struct totals totals_of(const struct model *m)
{
    struct totals t = {0};
    for (u32 i = 0; i < m->processes_count; i++) {
        const struct process *p = &m->processes[i];
        t.allocs += p->allocs;
        t.alloc_bytes += p->alloc_bytes;
        t.frees += p->frees;
        t.free_bytes += p->free_bytes;
        add_churn(&t.churn, &p->churn);
        add_lives(t.lives, p->lives, LIVES_COUNT);
        t.scanned += (p->flags & PROCESS_SCANNED) != 0;
        t.ended += (p->flags & PROCESS_ENDED) != 0;
        add_amount(&t.direct, p->direct);
        add_amount(&t.indirect, p->indirect);
        add_amount(&t.cycle, p->cycle);
        add_amount(&t.reachable, p->reachable);
        if ((p->flags & PROCESS_EXECED) == 0)
            add_amount(&t.live, p->live);
        if ((p->flags & PROCESS_EXECED) == 0)
            t.live_capacity += p->live_capacity;
        t.sampled += p->sample_bytes != 0;
        if (t.peak == NULL || p->peak_bytes > t.peak->peak_bytes)
            t.peak = p;
    }
    return t;
}
