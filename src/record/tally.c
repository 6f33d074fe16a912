// tally.c: counting, a few additions in place.
#include "record/tally.h"

#include "base/expo.h"
#include "os/share.h"
#include "record/sites.h"
#include "record/writer.h"

#include <sys/single_threaded.h>

static struct {
    struct record_process *process;
    u64 started; // ticks
    u32 threads; // that have a record; under the lock of sites.h
} the;

// No totals yet (NULL), its own, or the rest of its process.
static thread_local_ struct record_totals *mine;
thread_local_ uintptr_t tally_last_block;
const _Atomic u64 *tally_clock;

static u64 get(const _Atomic u64 *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void set(_Atomic u64 *counter, u64 v)
{
    atomic_store_explicit(counter, v, memory_order_relaxed);
}

// Add to a counter that only this thread writes. One instruction, which no signal handler can
// split: left to itself, the compiler loads two counters, adds to both, and stores them.
static always_inline_ void add(_Atomic u64 *counter, u64 n)
{
    __asm__("addq %1, %0" : "+m"(*(u64 *)counter) : "er"(n) : "cc");
}

// Add to a counter of all threads and return the sum. While one thread runs, a locked instruction
// (5 ns) is not needed. Who adds often asks once whether it does.
static always_inline_ u64 bump_if(bool alone, _Atomic u64 *counter, u64 n)
{
    if (likely(alone)) {
        add(counter, n);
        return *(u64 *)counter;
    }
    return atomic_fetch_add_explicit(counter, n, memory_order_relaxed) + n;
}

static always_inline_ bool alone(void)
{
    return __libc_single_threaded != 0;
}

static always_inline_ u64 bump(_Atomic u64 *counter, u64 n)
{
    return bump_if(alone(), counter, n);
}

void tally_begin(struct record_process *process, const struct recording *map)
{
    the.process = process;
    tally_clock = &map->clock;
    the.started = get(tally_clock);
    the.threads = 0;
}

void tally_fork_child(void)
{
    mine = NULL;
    tally_last_block = 0;
}

// ---------------------------------------------------------------- threads

static struct record_totals *new_thread(void)
{
    if (the.threads >= RECORDING_THREADS)
        return NULL;
    struct record_thread *r = writer_reserve(RECORD_THREAD, sizeof *r);
    if (r == NULL)
        return NULL;
    r->tid = os_thread_id();
    r->started = get(tally_clock);
    writer_commit(r, sizeof *r);
    the.threads++;
    return &r->own;
}

// The calling thread's first call. In a signal handler that interrupted the writer it counts with
// the rest, once.
static cold_ struct record_totals *first_call(void)
{
    if (!sites_lock())
        return &the.process->rest;
    if (mine == NULL)
        mine = new_thread();
    if (mine == NULL)
        mine = &the.process->rest;
    sites_unlock();
    return mine;
}

static always_inline_ struct record_totals *totals(void)
{
    struct record_totals *t = mine;
    return likely(t != NULL) ? t : first_call();
}

// Add to totals that may be the rest of the process, which many threads write.
static always_inline_ void total(struct record_totals *t, _Atomic u64 *counter, u64 n)
{
    if (likely(t != &the.process->rest))
        add(counter, n);
    else
        bump(counter, n);
}

// The same for three at once.
static always_inline_ void total_block(struct record_totals *t, _Atomic u64 *blocks_to,
                                       _Atomic u64 *size_to, _Atomic u64 *capacity_to,
                                       struct tally_block b, u64 blocks)
{
    if (likely(t != &the.process->rest)) {
        add(blocks_to, blocks);
        add(size_to, b.size);
        add(capacity_to, b.capacity);
    } else {
        bump(blocks_to, blocks);
        bump(size_to, b.size);
        bump(capacity_to, b.capacity);
    }
}

// ---------------------------------------------------------------- the peak

// F5: before live bytes change, keep what they were when the process was at its peak.
static always_inline_ void keep_peak(struct record_site *s)
{
    u32 serial = (u32)get(&the.process->peak_serial);
    if (likely(atomic_load_explicit(&s->serial, memory_order_relaxed) == serial))
        return;
    set(&s->at_peak, get(&s->alloc_bytes) - get(&s->free_bytes));
    atomic_store_explicit(&s->serial, serial, memory_order_relaxed);
}

static void pass_peak(u64 live)
{
    struct record_process *p = the.process;
    u64 peak = get(&p->peak_bytes);
    if (__libc_single_threaded)
        set(&p->peak_bytes, live);
    else
        while (live > peak &&
               !atomic_compare_exchange_weak_explicit(&p->peak_bytes, &peak, live,
                                                      memory_order_relaxed, memory_order_relaxed)) {
        }
    bump(&p->peak_serial, 1);
    set(&p->peak_ns, (get(tally_clock) - the.started) * CLOCK_TICK_NS);
}

// ---------------------------------------------------------------- counting

// Another thread may do the same.
static void raise(_Atomic u16 *to, u16 n)
{
    u16 seen = atomic_load_explicit(to, memory_order_relaxed);
    while (n > seen && !atomic_compare_exchange_weak_explicit(to, &seen, n, memory_order_relaxed,
                                                              memory_order_relaxed)) {
    }
}

static cold_ void note_large(struct record_site *s, u64 size)
{
    u64 most = get(&s->largest), least = get(&s->smallest);
    while (size > most &&
           !atomic_compare_exchange_weak_explicit(&s->largest, &most, size, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
    while ((size < least || least == 0) &&
           !atomic_compare_exchange_weak_explicit(&s->smallest, &least, size, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

// While one thread runs both are stored again at each call: whether a size is news is hard to
// guess, and the line is written anyway.
static always_inline_ void note_size(struct record_site *s, u64 size, bool single)
{
    if (unlikely(size >= RECORD_LARGE)) {
        note_large(s, size);
        return;
    }
    u16 max = (u16)(size + 1), min = (u16)(RECORD_LARGE - size);
    if (!single) {
        raise(&s->small_max, max);
        raise(&s->small_min, min);
        return;
    }
    u16 old_max = atomic_load_explicit(&s->small_max, memory_order_relaxed);
    u16 old_min = atomic_load_explicit(&s->small_min, memory_order_relaxed);
    atomic_store_explicit(&s->small_max, max > old_max ? max : old_max, memory_order_relaxed);
    atomic_store_explicit(&s->small_min, min > old_min ? min : old_min, memory_order_relaxed);
}

static always_inline_ void gain(struct record_site *s, struct tally_block b, u64 blocks,
                                bool single)
{
    struct record_process *p = the.process;
    struct record_totals *t = totals();
    keep_peak(s);
    bump_if(single, &s->allocs, blocks);
    bump_if(single, &s->alloc_bytes, b.size);
    bump_if(single, &s->alloc_capacity, b.capacity);
    total_block(t, &t->allocs, &t->alloc_bytes, &t->alloc_capacity, b, blocks);
    u64 live = bump_if(single, &p->live_bytes, b.size);
    if (live > get(&p->peak_bytes) && b.size != 0)
        pass_peak(live);
}

// Returns whose totals were counted.
static always_inline_ struct record_totals *lose(struct record_site *s, struct tally_block b,
                                                 u64 blocks, bool single)
{
    struct record_totals *t = totals();
    keep_peak(s);
    bump_if(single, &s->frees, blocks);
    bump_if(single, &s->free_bytes, b.size);
    bump_if(single, &s->free_capacity, b.capacity);
    total_block(t, &t->frees, &t->free_bytes, &t->free_capacity, b, blocks);
    bump_if(single, &the.process->live_bytes, (u64)0 - b.size);
    return t;
}

// A count of 40 bits in two pieces.
static void count_life(struct record_lives *lives, u32 bucket)
{
    _Atomic u32 *low = &lives->low[bucket];
    bool full;
    if (likely(alone())) // one instruction: see add
        __asm__("addl $1, %0" : "+m"(*(u32 *)low), "=@ccc"(full));
    else
        full = atomic_fetch_add_explicit(low, 1, memory_order_relaxed) == UINT32_MAX;
    if (unlikely(full))
        atomic_fetch_add_explicit(&lives->high[bucket], 1, memory_order_relaxed);
}

static always_inline_ void end_life(struct record_site *s, u32 birth)
{
    u32 now = tally_now();
    if (now != birth)
        count_life(&s->lives, life_bucket(birth, now));
}

void tally_alloc(struct record_site *s, struct tally_block b)
{
    if (likely(alone())) {
        note_size(s, b.size, true);
        gain(s, b, 1, true);
    } else {
        note_size(s, b.size, false);
        gain(s, b, 1, false);
    }
}

void tally_free(struct record_site *s, struct tally_block b, u32 birth, bool temporary)
{
    struct record_totals *t = likely(alone()) ? lose(s, b, 1, true) : lose(s, b, 1, false);
    end_life(s, birth);
    if (!temporary)
        return;
    bump(&s->temporaries, 1);
    bump(&s->temporary_bytes, b.size);
    total(t, &t->temporaries, 1);
    total(t, &t->temporary_bytes, b.size);
}

void tally_realloc(struct record_site *s, bool first, size_t copied)
{
    struct record_totals *t = totals();
    bump(&s->reallocs, 1);
    bump(&s->chains, first);
    bump(&s->copied_bytes, copied);
    total(t, &t->reallocs, 1);
    total(t, &t->copied_bytes, copied);
}

// ---------------------------------------------------------------- samples

// What a sample stands for: itself, divided by the chance that it was chosen. It depends on the
// block alone, so a free takes away what its allocation has given.
static u64 scale(struct tally_block *b)
{
    u64 mean = get(&the.process->sample_bytes);
    double each = 1 / expo_share((double)b->capacity / (double)mean);
    b->size = (size_t)((double)b->size * each + 0.5);
    b->capacity = (size_t)((double)b->capacity * each + 0.5);
    return (u64)(SAMPLE_UNIT * each + 0.5);
}

void tally_sample(struct record_site *s, struct tally_block b)
{
    note_size(s, b.size, false);
    u64 blocks = scale(&b);
    gain(s, b, blocks, false);
    bump(&s->samples, 1);
}

void tally_sample_free(struct record_site *s, struct tally_block b, u32 birth)
{
    u64 blocks = scale(&b);
    lose(s, b, blocks, false);
    bump(&s->sample_frees, 1);
    end_life(s, birth);
}
