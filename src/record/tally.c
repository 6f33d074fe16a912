// tally.c: counting, a few additions in place.
#include "record/tally.h"

#include "base/expo.h"
#include "os/share.h"
#include "record/sites.h"
#include "record/writer.h"

#include <sys/single_threaded.h>

#define HELD       8  // lines in which threads gather what changes bytes live
#define HELD_SHIFT 10 // a line holds no more than this share of the peak: 8/1024 in all
#define PEN_CALLS  64 // allocations of a thread before it gets pens
#define PEN_TRIES  8  // that a site asks for a pen before it gets it

static struct {
    struct record_process *process;
    u64 started; // ticks
    u32 threads; // that have a record; under the lock of sites.h
    struct {
        _Atomic u64 bytes aligned_(64);
    } held[HELD]; // not yet in process->live_bytes
} the;

// No totals yet (NULL), its own, or the rest of its process.
static thread_local_ struct record_totals *mine;
static thread_local_ u8 mine_held;             // index in the.held
static thread_local_ bool penless;             // asked for pens, and there was no room
static thread_local_ struct record_pens *pens; // NULL: none yet
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
    for (u32 i = 0; i < HELD; i++)
        set(&the.held[i].bytes, 0);
}

void tally_fork_child(void)
{
    mine = NULL;
    pens = NULL;
    penless = false;
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
    mine_held = (u8)(the.threads++ % HELD);
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

// F5, of a site or of a pen: before live bytes change, keep what they were when the process was at
// its peak.
#define keep_peak(s)                                                                     \
    do {                                                                                 \
        u32 serial_ = (u32)get(&the.process->peak_serial);                               \
        if (likely(atomic_load_explicit(&(s)->serial, memory_order_relaxed) == serial_)) \
            break;                                                                       \
        set(&(s)->at_peak, get(&(s)->alloc_bytes) - get(&(s)->free_bytes));              \
        atomic_store_explicit(&(s)->serial, serial_, memory_order_relaxed);              \
    } while (0)

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

// Add what a line holds to the bytes live of the process. For a moment others may have added what
// they freed and not yet what they allocated: the sum may be below zero.
static void pour(_Atomic u64 *held)
{
    u64 n = atomic_exchange_explicit(held, 0, memory_order_relaxed);
    u64 live = atomic_fetch_add_explicit(&the.process->live_bytes, n, memory_order_relaxed) + n;
    if ((int64_t)live > (int64_t)get(&the.process->peak_bytes) && (int64_t)n > 0)
        pass_peak(live);
}

// Bytes live change by n while several threads run. The line of the process would go from one
// processor to the other at each call. So it is told only when what was gathered matters.
static always_inline_ void hold(u64 n)
{
    _Atomic u64 *held = &the.held[mine_held].bytes;
    u64 most = get(&the.process->peak_bytes) >> HELD_SHIFT;
    u64 now = atomic_fetch_add_explicit(held, n, memory_order_relaxed) + n;
    if (now + most > 2 * most) // not within -most to most
        pour(held);
}

void tally_settle(void)
{
    for (u32 i = 0; i < HELD; i++)
        pour(&the.held[i].bytes);
}

// ---------------------------------------------------------------- pens, F10

static cold_ bool new_pens(void)
{
    if (!sites_lock())
        return false;
    if (pens == NULL && !penless) {
        struct record_pens *r = writer_reserve(RECORD_PENS, sizeof *r);
        if (r != NULL)
            writer_commit(r, sizeof *r);
        penless = r == NULL;
        pens = r;
    }
    sites_unlock();
    return pens != NULL;
}

// A place that is empty goes to a site that asks often. A signal handler may come between any two
// of these steps and take the place, or count in the pen already.
static cold_ struct record_pen *take_pen(const struct record_site *s, u32 n, u32 place)
{
    u32 empty = 0;
    if (atomic_load_explicit(&pens->place[n], memory_order_relaxed) != 0)
        return NULL;
    if (++pens->tried[n] < PEN_TRIES ||
        !atomic_compare_exchange_strong(&pens->place[n], &empty, place))
        return NULL;
    atomic_store_explicit(&pens->pen[n].site, s->id, memory_order_relaxed);
    return &pens->pen[n];
}

// This thread's pen for a site, or NULL: then it counts in the site itself, with locked
// instructions.
static always_inline_ struct record_pen *pen_of(const struct record_site *s,
                                                const struct record_totals *t)
{
    if (unlikely(pens == NULL) &&
        (penless || t == &the.process->rest || get(&t->allocs) < PEN_CALLS || !new_pens()))
        return NULL;
    u32 place = writer_place(s), n = place * 0x9e3779b1u >> 27;
    static_assert(PENS_COUNT == 1 << (32 - 27), "an index of 5 bits");
    if (likely(atomic_load_explicit(&pens->place[n], memory_order_relaxed) == place))
        return &pens->pen[n];
    return take_pen(s, n, place);
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
    if ((int64_t)live > (int64_t)get(&p->peak_bytes) && b.size != 0)
        pass_peak(live);
}

// The same while several threads run.
static noinline_ void gain_shared(struct record_site *s, struct tally_block b)
{
    struct record_totals *t = totals();
    struct record_pen *pen = pen_of(s, t);
    if (likely(pen != NULL)) {
        keep_peak(pen);
        add(&pen->allocs, 1);
        add(&pen->alloc_bytes, b.size);
        add(&pen->alloc_capacity, b.capacity);
    } else {
        keep_peak(s);
        bump_if(false, &s->allocs, 1);
        bump_if(false, &s->alloc_bytes, b.size);
        bump_if(false, &s->alloc_capacity, b.capacity);
    }
    total_block(t, &t->allocs, &t->alloc_bytes, &t->alloc_capacity, b, 1);
    hold(b.size);
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

static noinline_ struct record_totals *lose_shared(struct record_site *s, struct tally_block b)
{
    struct record_totals *t = totals();
    struct record_pen *pen = pen_of(s, t);
    if (likely(pen != NULL)) {
        keep_peak(pen);
        add(&pen->frees, 1);
        add(&pen->free_bytes, b.size);
        add(&pen->free_capacity, b.capacity);
    } else {
        keep_peak(s);
        bump_if(false, &s->frees, 1);
        bump_if(false, &s->free_bytes, b.size);
        bump_if(false, &s->free_capacity, b.capacity);
    }
    total_block(t, &t->frees, &t->free_bytes, &t->free_capacity, b, 1);
    hold((u64)0 - b.size);
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
        gain_shared(s, b);
    }
}

void tally_free(struct record_site *s, struct tally_block b, u32 birth, bool temporary)
{
    struct record_totals *t = likely(alone()) ? lose(s, b, 1, true) : lose_shared(s, b);
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
