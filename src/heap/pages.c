// pages.c: the page heap: which pages of the arena are free, which of those still hold memory.
//
// Two bitmaps, one bit a page, found by arithmetic like all tables: `free` and its subset `dirty`.
// A span is taken from dirty pages first (they need no page fault), else from clean ones, else
// from the end of what is mapped. Dirty pages beyond a bound are given back to the kernel, highest
// addresses first, so that the low end of the arena stays in use. One lock guards the bitmaps, and
// no system call is made under it: see pages.h.
#include "heap/pages.h"

#include "heap/background.h"

#include <errno.h>

// P1  a page is free iff its bit is in `free` or it is >= top. dirty is a subset of free.
// P2  dirty_count == popcount(dirty); live counts pages of live spans.
// P3  no free page is below low_free, no dirty one below low_dirty or at or above high_dirty.
struct pages pages = {.wanted = SIZE_MAX};

// ---------------------------------------------------------------- bitmaps

static inline bool bit(const u64 *map, size_t i)
{
    return map[i >> 6] >> (i & 63) & 1;
}

// The bits of one word that [first, first + n) covers, n > 0; *ret_n is how many those are.
static inline u64 word_mask(size_t first, size_t n, size_t *ret_n)
{
    size_t at = first & 63;
    size_t k = size_min(n, 64 - at);
    *ret_n = k;
    return (k == 64 ? ~(u64)0 : ((u64)1 << k) - 1) << at;
}

static void bits_set(u64 *map, size_t first, size_t n)
{
    for (size_t k; n > 0; first += k, n -= k)
        map[first >> 6] |= word_mask(first, n, &k);
}

static void bits_clear(u64 *map, size_t first, size_t n)
{
    for (size_t k; n > 0; first += k, n -= k)
        map[first >> 6] &= ~word_mask(first, n, &k);
}

static size_t bits_count(const u64 *map, size_t first, size_t n)
{
    size_t sum = 0;
    for (size_t k; n > 0; first += k, n -= k)
        sum += bits_in(map[first >> 6] & word_mask(first, n, &k));
    return sum;
}

// First i in [first, end) whose bit differs from `flip`'s bits (0: find a one, ~0: find a zero).
static size_t bits_find(const u64 *map, size_t first, size_t end, u64 flip)
{
    if (first >= end)
        return end;
    size_t k = first >> 6;
    u64 w = (map[k] ^ flip) & ~(u64)0 << (first & 63);
    while (w == 0) {
        if (++k << 6 >= end)
            return end;
        w = map[k] ^ flip;
    }
    return size_min((k << 6) + (size_t)__builtin_ctzll(w), end);
}

static size_t find_one(const u64 *map, size_t first, size_t end)
{
    return bits_find(map, first, end, 0);
}

static size_t find_zero(const u64 *map, size_t first, size_t end)
{
    return bits_find(map, first, end, ~(u64)0);
}

// ---------------------------------------------------------------- giving memory back

// Pages of memory that the heap holds: live and dirty ones, less the holes in them.
static size_t held(void)
{
    long holes = atomic_load_explicit(&pages.holes, memory_order_relaxed);
    size_t sum = pages.live + pages.dirty_count + pages.air_count;
    return sum - size_min(sum, (size_t)(holes > 0 ? holes : 0) * the.os_page >> PAGE_SHIFT);
}

// Free pages, with memory behind them.
static void set_dirty(size_t first, size_t n)
{
    bits_set(pages.dirty, first, n);
    pages.dirty_count += n;
    pages.low_dirty = size_min(pages.low_dirty, first);
    pages.high_dirty = size_max(pages.high_dirty, first + n);
}

// The dirty run that ends at the highest dirty page below `end`: sets *ret_first, returns its end;
// 0 when there is none.
static size_t highest_run(size_t end, size_t *ret_first)
{
    if (end == 0)
        return 0;
    size_t k = (end - 1) >> 6;
    u64 w = pages.dirty[k] & (~(u64)0 >> (63 - ((end - 1) & 63)));
    while (w == 0) {
        if (k-- == 0)
            return 0;
        w = pages.dirty[k];
    }
    size_t last = (k << 6) + 64 - (size_t)__builtin_clzll(w); // one past
    size_t first = last - 1;
    while (first > 0 && bit(pages.dirty, first - 1))
        first -= first % 64 == 0 && pages.dirty[first / 64 - 1] == ~(u64)0 ? 64 : 1;
    *ret_first = first;
    return last;
}

// Dirty pages that may stay are `keep` at most. Who asks gives up pages_lock and calls
// purge_wanted.
static void want_purge(size_t keep)
{
    if (pages.dirty_count > keep)
        pages.wanted = size_min(pages.wanted, keep);
}

// The highest run of dirty pages below `limit` is taken out of the maps. A run longer than what is
// owed is cut, but not into pieces smaller than 4 MiB: system calls cost more than a few pages kept
// too little. False when there is nothing more to be done.
static bool lift(size_t limit)
{
    size_t first;
    size_t last = pages.dirty_count > pages.wanted
                      ? highest_run(size_min(limit, pages.high_dirty), &first)
                      : 0;
    if (last == 0)
        return false;
    size_t owed = pages.dirty_count - pages.wanted + 256;
    if (last - first > owed)
        first = last - owed;
    bits_clear(pages.free, first, last - first);
    bits_clear(pages.dirty, first, last - first);
    pages.dirty_count -= last - first;
    if (limit >= pages.high_dirty)
        pages.high_dirty = first;
    pages.air_first = first;
    pages.air_count = last - first; // P4
    return true;
}

static void put_back(bool clean)
{
    bits_set(pages.free, pages.air_first, pages.air_count);
    pages_lower_hints(pages.air_first);
    if (!clean)
        set_dirty(pages.air_first, pages.air_count);
    pages.air_count = 0;
}

// Under purge_lock: do what is wanted, and what others want meanwhile. Returns the pages purged.
static size_t purge(void)
{
    size_t done = 0;
    size_t limit = SIZE_MAX; // locked memory stays dirty: its old bytes are still there
    bool locked unused_ = lock_take(&the.pages_lock);
    assert(locked);
    while (lift(limit)) {
        size_t first = pages.air_first, n = pages.air_count;
        lock_give(&the.pages_lock);
        bool clean = os_purge(page_addr((u32)first), n << PAGE_SHIFT) == 0;
        lock_take(&the.pages_lock);
        put_back(clean);
        done += clean ? n : 0;
        limit = clean ? limit : first;
    }
    // Not again at the next free: each would walk over all that the kernel does not take.
    bool in_vain = limit != SIZE_MAX && pages.dirty_count > pages.wanted;
    pages.refused_at = in_vain ? pages.dirty_count + pages.dirty_count / 4 + 64 : 0;
    pages.wanted = SIZE_MAX;
    if (pages.grew)
        pages.held_max = size_max(pages.held_max, held());
    pages.grew = false;
    lock_give(&the.pages_lock);
    return done;
}

static bool is_purge_wanted(void)
{
    if (!lock_take(&the.pages_lock))
        return false;
    bool yes = pages.wanted != SIZE_MAX;
    lock_give(&the.pages_lock);
    return yes;
}

// Somebody asked. Whoever purges already sees it; the second look is for a request that came after
// the last look of who held the lock, and before it was given (P6).
static void purge_wanted(void)
{
    do {
        if (!lock_try(&the.purge_lock))
            return;
        purge();
        lock_give(&the.purge_lock);
    } while (is_purge_wanted());
}

// How much may stay dirty: a quarter of the decaying recent peak (an eighth cost a program of
// large blocks 0.81 against 0.50), at least 1 MiB, and more while purged pages are soon needed
// again: a loop that frees and takes 100 MiB must not fault it in each round.
static size_t dirty_bound(void)
{
    return size_max(pages.peak / 4 + pages.refault, MiB >> PAGE_SHIFT);
}

void pages_settle(void)
{
    if (is_purge_wanted())
        purge_wanted();
}

size_t pages_trim(size_t keep)
{
    // A handler that interrupted the holder of pages_lock: who purges may wait for that.
    if (lock_held(&the.pages_lock) || !lock_take(&the.purge_lock))
        return 0;
    lock_take(&the.pages_lock);
    want_purge(keep >> PAGE_SHIFT);
    lock_give(&the.pages_lock);
    size_t done = purge();
    lock_give(&the.purge_lock);
    pages_settle();
    return done << PAGE_SHIFT;
}

size_t pages_taken(void)
{
    return __atomic_load_n(&pages.takes, __ATOMIC_RELAXED);
}

void pages_usage(struct pages_usage *ret)
{
    bool locked = lock_take(&the.pages_lock); // a handler that interrupted a holder looks anyway
    long holes = atomic_load_explicit(&pages.holes, memory_order_relaxed);
    *ret = (struct pages_usage){
        .live = pages.live << PAGE_SHIFT,
        .dirty = (pages.dirty_count + pages.air_count) << PAGE_SHIFT,
        .holes = (size_t)(holes > 0 ? holes : 0) * the.os_page,
        .top = pages.top << PAGE_SHIFT,
        .mapped = pages.mapped << PAGE_SHIFT,
    };
    if (locked)
        lock_give(&the.pages_lock);
}

// ---------------------------------------------------------------- taking

// The heap needs `clean` pages more, and would hold more memory than it recently did: rather return
// dirty pages elsewhere, which did not fit, than grow. A sixteenth of growth is not worth it (the
// pages would soon be faulted in again), and nor are pages that were lately needed again.
static void make_up_for(size_t growth)
{
    size_t keep = size_max(pages.live / 8, MiB >> PAGE_SHIFT);
    size_t over = size_max(growth, 16);
    want_purge(size_max(keep, pages.dirty_count - size_min(over, pages.dirty_count)));
    if (pages.wanted == SIZE_MAX)
        pages.held_max = size_max(pages.held_max, held());
    else
        pages.grew = true;
    atomic_fetch_add_explicit(&pages.growth, growth, memory_order_relaxed);
}

// The recent past ends slowly: the peak by an eighth every 1,024 spans, the rest by an eighth
// whenever four times the peak was taken, so that it outlives some rounds of a loop.
static void decay(size_t n)
{
    __atomic_store_n(&pages.takes, pages.takes + 1, __ATOMIC_RELAXED); // read by pages_taken
    if (pages.takes % 1024 == 0)
        pages.peak -= (pages.peak - pages.live) / 8;
    pages.turnover += n;
    if (pages.turnover < size_max(16 * pages.peak, 65536))
        return;
    pages.turnover = 0;
    pages.refault -= pages.refault / 8;
    pages.refused_at -= pages.refused_at / 8;
    pages.held_max -= (pages.held_max - size_min(held(), pages.held_max)) / 8;
}

// n pages become live; `clean` of them have no memory yet, `again` of those had some before.
static void account_taken(size_t n, size_t clean, size_t again)
{
    pages.live += n;
    pages.peak = size_max(pages.peak, pages.live);
    pages.refault = size_min(pages.refault + again, pages.peak);
    if (clean > 0 && !pages.grew && held() > pages.held_max + pages.held_max / 16)
        make_up_for(held() - pages.held_max);
    decay(n);
}

// How much of that may be idle slabs: they are of use to one class only.
static size_t idle_bound(void)
{
    size_t again = size_min(pages.refault, pages.peak / 8);
    return size_max(pages.peak / 32 * 7 + again, MiB >> PAGE_SHIFT);
}

bool pages_idle(size_t n)
{
    if (!lock_take(&the.pages_lock))
        return false;
    bool ok = pages_idle_count() + n <= idle_bound();
    if (ok)
        atomic_fetch_add_explicit(&pages.idle, (long)n, memory_order_relaxed);
    lock_give(&the.pages_lock);
    return ok;
}

size_t pages_growth(void)
{
    if (atomic_load_explicit(&pages.growth, memory_order_relaxed) == 0)
        return 0;
    return atomic_exchange_explicit(&pages.growth, 0, memory_order_relaxed) << PAGE_SHIFT;
}

void pages_holes(long n)
{
    atomic_fetch_add_explicit(&pages.holes, n, memory_order_relaxed);
}

// Take the free pages [first, first + n), all below top.
static void claim(size_t first, size_t n, bool *ret_zero)
{
    size_t dirty = pages.dirty_count > 0 ? bits_count(pages.dirty, first, n) : 0;
    bits_clear(pages.free, first, n);
    if (dirty > 0)
        bits_clear(pages.dirty, first, n);
    pages.dirty_count -= dirty;
    *ret_zero = dirty == 0;
    account_taken(n, n - dirty, n - dirty);
}

static u32 take_one(bool *ret_zero)
{
    size_t i = pages.top;
    if (pages.dirty_count > 0)
        i = pages.low_dirty = find_one(pages.dirty, pages.low_dirty, pages.top);
    if (i >= pages.top)
        i = pages.low_free = find_one(pages.free, pages.low_free, pages.top);
    if (i >= pages.top)
        return 0;
    claim(i, 1, ret_zero);
    return (u32)i;
}

// First fit below top. fail_size remembers a length for which there was none.
static u32 take_run(size_t n, size_t align, bool *ret_zero)
{
    if (n >= pages.fail_size)
        return 0;
    pages.low_free = find_one(pages.free, pages.low_free, pages.top);
    for (size_t i = pages.low_free; i < pages.top;) {
        size_t first = round_up(i, align);
        size_t end = find_zero(pages.free, i, size_min(size_max(first + n, i + 1), pages.top));
        if (end >= first + n) {
            claim(first, n, ret_zero);
            return (u32)first;
        }
        i = find_one(pages.free, end, pages.top);
    }
    if (align == 1)
        pages.fail_size = n;
    return 0;
}

// Take n pages that end above top, using free pages just below it. When they are not mapped yet,
// *ret_end is up to where they should be.
static u32 take_top(size_t n, size_t align, bool *ret_zero, size_t *ret_end)
{
    size_t first = pages.top;
    while (n > 1 && first > 1 && bit(pages.free, first - 1))
        first--;
    first = round_up(first, align);
    if (first + n > pages.mapped) {
        *ret_end = first + n;
        return 0;
    }
    size_t old_top = pages.top;
    pages.top = size_max(old_top, first + n);
    size_t gap = first > old_top ? first - old_top : 0; // skipped for the alignment
    bits_set(pages.free, old_top, gap);
    if (gap > 0)
        pages_lower_hints(old_top);
    size_t below = first < old_top ? old_top - first : 0;
    size_t dirty = below > 0 ? bits_count(pages.dirty, first, below) : 0;
    bits_clear(pages.free, first, below);
    bits_clear(pages.dirty, first, below);
    pages.dirty_count -= dirty;
    *ret_zero = dirty == 0;
    account_taken(n, n - dirty, below - dirty);
    return (u32)first;
}

// Map up to page `end`, without pages_lock. False when there is no more.
static bool grow(size_t end)
{
    if (!lock_take(&the.grow_lock))
        return false;
    int r = arena_grow(end);
    lock_give(&the.grow_lock);
    return r == 0 || r == -EAGAIN;
}

// The kernel has no more. If memory is in the air, it is free when that purge is done.
static bool wait_for_purge(void)
{
    if (!lock_take(&the.purge_lock))
        return false;
    lock_give(&the.purge_lock);
    pages_settle();
    return true;
}

// A free span of any length may have appeared at `first`.
void pages_lower_hints(size_t first)
{
    pages.low_free = size_min(pages.low_free, first);
    pages.fail_size = SIZE_MAX;
}

static void give_locked(u32 first, size_t n, bool dirty)
{
    bits_set(pages.free, first, n);
    pages.live -= n;
    pages_lower_hints(first);
    if (!dirty)
        return;
    set_dirty(first, n);
    size_t bound = dirty_bound();
    bound -= size_min(bound, pages_idle_count() / 8 * 9); // they go back later than dirty pages
    if (pages.dirty_count > size_max(bound, pages.refused_at))
        want_purge(bound - bound / 4);
}

// Spans that a signal handler freed while its thread held the lock.
static void give_deferred(void)
{
    u32 first = atomic_exchange_explicit(&pages.deferred, 0, memory_order_acquire);
    while (first != 0) {
        u32 next = atomic_load_explicit(&arena.state[first].next, memory_order_relaxed);
        give_locked(first, arena.desc[first].pages, true);
        first = next;
    }
}

static void defer(u32 first, size_t n)
{
    arena.desc[first].pages = (u32)n;
    u32 head = atomic_load_explicit(&pages.deferred, memory_order_relaxed);
    do {
        atomic_store_explicit(&arena.state[first].next, head, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&pages.deferred, &head, first,
                                                    memory_order_release, memory_order_relaxed));
}

// Give the lock, and do what must be done without it.
static void leave(void)
{
    bool purge_too = pages.wanted != SIZE_MAX;
    lock_give(&the.pages_lock);
    if (unlikely(purge_too))
        purge_wanted();
}

u32 pages_take(size_t n, size_t align, bool *ret_zero)
{
    if (n == 0 || n > ARENA_PAGES_MAX || align > ARENA_PAGES_MAX)
        return 0;
    for (;;) {
        if (!lock_take(&the.pages_lock))
            return 0;
        give_deferred();
        u32 first = 0;
        size_t end = 1;
        if (pages.mapped > 0) {
            first = n == 1 && align == 1 ? take_one(ret_zero) : take_run(n, align, ret_zero);
            if (first == 0)
                first = take_top(n, align, ret_zero, &end);
        }
        bool air = pages.air_count > 0;
        leave();
        if (first != 0)
            return first;
        if (!grow(end) && !(air && wait_for_purge()))
            return 0;
    }
}

void pages_give(u32 first, size_t n, bool dirty)
{
    if (!lock_take(&the.pages_lock)) {
        defer(first, n);
        return;
    }
    give_locked(first, n, dirty);
    leave();
    background_revive();
}

void pages_moving(size_t n, bool about_to)
{
    if (!lock_take(&the.pages_lock))
        return; // a handler that interrupted a holder: it takes no pages either
    pages.live = about_to ? pages.live - n : pages.live + n;
    lock_give(&the.pages_lock);
}

// Grow into what is free and mapped. *ret_end: up to where to map first; 0: there is no way.
static bool extend(size_t first, size_t n, size_t *ret_end)
{
    size_t below = first < pages.top ? size_min(n, pages.top - first) : 0;
    *ret_end = 0;
    if (find_zero(pages.free, first, first + below) < first + below ||
        (below < n && first + below != pages.top))
        return false;
    if (first + n > pages.mapped) {
        *ret_end = first + n;
        return false;
    }
    size_t old_top = pages.top;
    pages.top = size_max(pages.top, first + n);
    bits_set(pages.free, old_top, pages.top - old_top);
    bool zero;
    claim(first, n, &zero);
    return true;
}

bool pages_extend(u32 first, size_t n)
{
    if (n > ARENA_PAGES_MAX || first + n > ARENA_PAGES_MAX)
        return false;
    size_t end;
    do {
        if (!lock_take(&the.pages_lock))
            return false;
        bool ok = extend(first, n, &end);
        leave();
        if (ok)
            return true;
    } while (end != 0 && grow(end));
    return false;
}

// ---------------------------------------------------------------- the child of a fork

void pages_land(void)
{
    if (pages.air_count > 0)
        put_back(false);
}

// What is free may hold memory, for all that is known.
void pages_mend(void)
{
    size_t words = pages.top / 64 + 1;
    pages.low_free = pages.low_dirty = 1;
    pages.high_dirty = pages.top;
    pages.fail_size = SIZE_MAX;
    pages.dirty_count = 0;
    for (size_t i = 0; pages.mapped > 0 && i < words; i++) {
        pages.dirty[i] = pages.free[i];
        pages.dirty_count += bits_in(pages.free[i]);
    }
    pages.live = pages.top - size_min(pages.dirty_count, pages.top);
}
