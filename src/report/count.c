// count.c: from counters to numbers. They are read while others raise them, so a difference may be
// a little below zero.

#include "report/count.h"

#include <string.h>

static u64 minus(u64 a, u64 b)
{
    return a > b ? a - b : 0;
}

// F8
static u64 blocks_of(u64 sample_bytes, u64 counter)
{
    return sample_bytes == 0 ? counter : (counter + SAMPLE_UNIT / 2) / SAMPLE_UNIT;
}

// F9: of the process itself or of one of its threads.
void count_totals(struct process *to, const struct record_totals *from)
{
    u64 sample = to->sample_bytes;
    struct churn *c = &to->churn;
    to->allocs += blocks_of(sample, from->allocs);
    to->alloc_bytes += from->alloc_bytes;
    to->frees += blocks_of(sample, from->frees);
    to->free_bytes += from->free_bytes;
    to->live =
        (struct amount){minus(to->alloc_bytes, to->free_bytes), minus(to->allocs, to->frees)};
    c->capacity += from->alloc_capacity;
    to->free_capacity += from->free_capacity;
    to->live_capacity = minus(c->capacity, to->free_capacity);
    c->temporaries += from->temporaries;
    c->temporary_bytes += from->temporary_bytes;
    c->reallocs += from->reallocs;
    c->copied_bytes += from->copied_bytes;
}

void count_process(struct process *to, const struct record_process *from)
{
    to->sample_bytes = from->sample_bytes;
    to->merged = from->merged;
    count_totals(to, &from->rest);
}

static struct lifetimes kept_lives(struct store *store, const struct record_lives *lives, u64 frees)
{
    u64 all[LIVES_COUNT], longer = 0, *kept;
    u32 count = LIVES_COUNT;
    for (u32 i = 0; i < LIVES_BUCKETS; i++) {
        all[i + 1] = (u64)lives->high[i] << 32 | lives->low[i];
        longer += all[i + 1];
    }
    all[0] = minus(frees, longer);
    while (count > 0 && all[count - 1] == 0)
        count--;
    if (count == 0)
        return (struct lifetimes){0};
    kept = store_push(store, count * sizeof *kept);
    memcpy(kept, all, count * sizeof *kept);
    return (struct lifetimes){kept, count};
}

static void fill_churn(struct site *to, const struct record_site *from, struct store *store)
{
    bool sampled = to->process->sample_bytes != 0;
    to->churn = (struct churn){.capacity = from->alloc_capacity,
                               .reallocs = from->reallocs,
                               .chains = from->chains,
                               .copied_bytes = from->copied_bytes};
    if (sampled) {
        to->samples = from->samples;
        to->live_samples = minus(from->samples, from->sample_frees);
    } else {
        to->churn.temporaries = from->temporaries;
        to->churn.temporary_bytes = from->temporary_bytes;
    }
    to->lifetimes = kept_lives(store, &from->lives, sampled ? from->sample_frees : from->frees);
}

// F5: what `from`, a site or a pen, held when its process stood highest.
#define held_at_peak(from, p)                                  \
    ((from)->serial == (u32)(p)->peak_serial ? (from)->at_peak \
                                             : (from)->alloc_bytes - (from)->free_bytes)

void count_pen(struct record_pen *sum, const struct record_pen *from, const struct process *p)
{
    sum->at_peak += held_at_peak(from, p);
    sum->allocs += from->allocs;
    sum->alloc_bytes += from->alloc_bytes;
    sum->alloc_capacity += from->alloc_capacity;
    sum->frees += from->frees;
    sum->free_bytes += from->free_bytes;
    sum->free_capacity += from->free_capacity;
}

// The site as if it had no pens.
static struct record_site with_pens(const struct record_site *from, const struct record_pen *pens,
                                    const struct process *p)
{
    struct record_site s;
    memcpy(&s, from, sizeof s);
    s.at_peak = held_at_peak(from, p) + pens->at_peak;
    s.serial = (u32)p->peak_serial;
    s.allocs += pens->allocs;
    s.alloc_bytes += pens->alloc_bytes;
    s.alloc_capacity += pens->alloc_capacity;
    s.frees += pens->frees;
    s.free_bytes += pens->free_bytes;
    s.free_capacity += pens->free_capacity;
    if ((int64_t)s.at_peak < 0) // they were read one after the other
        s.at_peak = 0;
    return s;
}

void count_site(struct site *to, const struct record_site *from, const struct record_pen *pens,
                struct store *store)
{
    struct record_site sum;
    if (pens != NULL) {
        sum = with_pens(from, pens, to->process);
        from = &sum;
    }
    u64 sample = to->process->sample_bytes;
    to->other = to->frames_count == 0;
    to->allocs = blocks_of(sample, from->allocs);
    to->alloc_bytes = from->alloc_bytes;
    to->frees = blocks_of(sample, from->frees);
    to->free_bytes = from->free_bytes;
    to->largest = record_largest(from);
    to->smallest = record_smallest(from);
    to->live =
        (struct amount){minus(to->alloc_bytes, to->free_bytes), minus(to->allocs, to->frees)};
    to->live_capacity = minus(from->alloc_capacity, from->free_capacity);
    bool kept = from->serial == (u32)to->process->peak_serial; // F5
    to->at_peak = kept ? from->at_peak : to->live.bytes;
    to->direct = (struct amount){from->direct_bytes, from->direct_blocks};
    to->indirect = (struct amount){from->indirect_bytes, from->indirect_blocks};
    to->cycle = (struct amount){from->cycle_bytes, from->cycle_blocks};
    to->reachable = (struct amount){from->reachable_bytes, from->reachable_blocks};
    to->large_bytes = (u64)from->large_pages * PAGE_UNIT;
    to->untouched_bytes = (u64)from->untouched_pages * PAGE_UNIT;
    fill_churn(to, from, store);
}

static void add_amount(struct amount *sum, struct amount a)
{
    sum->bytes += a.bytes;
    sum->blocks += a.blocks;
}

void count_sum(struct process *p, const struct site *s)
{
    add_amount(&p->direct, s->direct);
    add_amount(&p->indirect, s->indirect);
    add_amount(&p->cycle, s->cycle);
    add_amount(&p->reachable, s->reachable);
    p->churn.chains += s->churn.chains;
    for (u32 i = 0; i < s->lifetimes.count; i++)
        p->lives[i] += s->lifetimes.lives[i];
}
