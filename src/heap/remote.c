// remote.c: a block freed by a thread that does not own its slab.
//
// The protocol is stated, with its memory orders, in docs/remote-free.md, and checked over all
// interleavings by tests/model/remote_test.c. In the steady state a stranger's free is one
// fetch_or on the remote bitmap and one load of the state word. What makes it safe is R4: once its
// bit is set, the stranger no longer keeps the slab alive, and may change nothing but the state
// word, under the generation that it read before.
#include "heap/fast.h"
#include "heap/pages.h"

// Tell the owner, heap number `id`, that `slab` has remote frees. We have just set DIRTY, so the
// slab is in no dirty list, and stays with its owner until it has been in one.
static void push_dirty(u32 id, u32 slab)
{
    struct heap *owner = the.heaps[id];
    atomic_fetch_add_explicit(&owner->dirty_pages, arena.desc[slab].pages, memory_order_relaxed);
    u32 head = atomic_load_explicit(&owner->dirty, memory_order_relaxed);
    do {
        atomic_store_explicit(&arena.state[slab].next, head, memory_order_relaxed);
        // Release: pairs with the acquire of the exchange in remote_drain.
    } while (!atomic_compare_exchange_weak_explicit(&owner->dirty, &head, slab,
                                                    memory_order_release, memory_order_relaxed));
}

// Claim a parked slab (full when its owner left it): word is {gen, nobody}.
static bool claim(struct heap *h, u32 slab, u64 word)
{
    // Acquire: pairs with the release in let_go, so that we see the last owner's writes.
    if (!atomic_compare_exchange_strong_explicit(&arena.state[slab].word, &word,
                                                 state_make(state_gen(word), h->id, 0),
                                                 memory_order_acquire, memory_order_relaxed))
        return false;
    slab_adopt(h, slab);
    return true;
}

// Take a slab out of the pool, so that a free into it is not forgotten there. Its class was read
// while it could not be gone: afterwards it may be a slab of another class.
static bool adopt_pooled(struct heap *h, u32 slab, u32 gen, unsigned cls)
{
    struct lock *lock = &pool_of(cls)->lock;
    if (!lock_take(lock))
        return false;
    u64 word = atomic_load_explicit(&arena.state[slab].word, memory_order_relaxed);
    bool ours = (word & STATE_POOLED) && state_gen(word) == gen;
    if (ours)
        slab_unpool(h, slab);
    lock_give(lock);
    return ours;
}

// Our bit is set; see to it that somebody will collect it. The slab may be gone by now (R4).
static void announce(struct heap *h, u32 slab, u32 gen, unsigned cls)
{
    struct state *s = &arena.state[slab];
    for (;;) {
        // Sequentially consistent: set bit, then read DIRTY, against the drain's clear DIRTY, then
        // take bits. One of the two must see the other.
        u64 word = atomic_load_explicit(&s->word, memory_order_seq_cst);
        if (state_gen(word) != gen || (word & (STATE_DIRTY | STATE_GONE)))
            return; // collected and released, or somebody has announced it already
        if (state_id(word) != 0) {
            if (atomic_compare_exchange_weak_explicit(&s->word, &word, word | STATE_DIRTY,
                                                      memory_order_seq_cst, memory_order_relaxed)) {
                push_dirty(state_id(word), slab);
                return;
            }
            continue;
        }
        if (h == NULL)
            return; // no heap to adopt it into: the next taker collects
        if (word & STATE_POOLED) {
            if (lock_held(&pool_of(cls)->lock))
                return; // we interrupted ourselves in the pool: the next taker collects
            if (!adopt_pooled(h, slab, gen, cls))
                continue;
        } else if (!claim(h, slab, word)) {
            continue;
        }
        remote_collect(h, slab);
        slab_edge(h, slab);
        return;
    }
}

// ---------------------------------------------------------------- while the owner sleeps

// Drains come when the owner needs a slab and has no partly free one, or when it needs any slab and
// strangers' frees have piled up in so many pages of slabs. An owner that allocates is soon there.
// One with a larger pile that has not drained for so long sleeps, and must not keep what others
// free: strangers then give wholly free slabs back themselves. (Without the time, an owner that
// only waited for its turn on the processor lost its memory: half of all page faults of a program
// whose threads hand everything to each other.)
#define PILE_PAGES  ((u32)(MiB >> PAGE_SHIFT))
#define SLEEP_PAGES (4 * PILE_PAGES)
#define SLEEP_MS    100

bool remote_piled(const struct heap *h)
{
    return atomic_load_explicit(&h->dirty_pages, memory_order_relaxed) > PILE_PAGES;
}

static bool sleeps(const struct heap *h)
{
    return atomic_load_explicit(&h->dirty_pages, memory_order_relaxed) > SLEEP_PAGES &&
           (u32)os_coarse_ms() - atomic_load_explicit(&h->drained_ms, memory_order_relaxed) >
               SLEEP_MS;
}

// Blocks that strangers freed and nobody collected.
static u32 remote_count(u32 slab, u64 *ret_hash)
{
    u32 n = 0;
    *ret_hash = 0;
    for (u32 k = 0; k * 64 < arena.desc[slab].blocks; k++) {
        u64 bits = atomic_load_explicit(&arena.remote[slab].bits[k], memory_order_acquire);
        *ret_hash = *ret_hash * 31 + bits;
        n += bits_in(bits);
    }
    return n;
}

// Every block that is out was freed by strangers. `used` is the owner's, so it is read between two
// equal counts: a drain in between would show, because a collected bit cannot come back while
// PURGING keeps the slab from being current. (Before PURGING is won the answer is a guess.)
__attribute__((no_sanitize("thread"))) static bool all_free(u32 slab)
{
    u64 before, after;
    u32 n = remote_count(slab, &before);
    struct side head;
    head.both = __atomic_load_n(&arena.side[slab].both, __ATOMIC_ACQUIRE);
    u32 used = side_used(&head);
    return n == used && remote_count(slab, &after) == n && before == after;
}

// A slab that PURGING holds has no memory any more: all of it is a hole, and it is idle no more.
__attribute__((no_sanitize("thread"))) static void forget_idle(u32 slab)
{
    struct side *e = &arena.side[slab];
    size_t n = ((size_t)arena.desc[slab].pages << PAGE_SHIFT) / the.os_page;
    if (e->where != SLAB_IDLE || e->holes != 0 || n > 64)
        return;
    e->holes = ~(u64)0 >> (64 - n);
    pages_holes((long)n);
    atomic_fetch_sub_explicit(&pages.idle, arena.desc[slab].pages, memory_order_relaxed);
}

// Give the memory of a wholly free slab, whose state word was `word`, to the kernel, leaving the
// slab to its owner. False: it is not wholly free, or its owner is at it.
static bool purge_free(u32 slab, u64 word)
{
    struct state *s = &arena.state[slab];
    if ((word & (STATE_CURRENT | STATE_PURGING | STATE_GONE)) || !all_free(slab))
        return false;
    if (!atomic_compare_exchange_strong_explicit(&s->word, &word, word | STATE_PURGING,
                                                 memory_order_acquire, memory_order_relaxed))
        return false;
    bool done = all_free(slab) &&
                os_purge(page_addr(slab), (size_t)arena.desc[slab].pages << PAGE_SHIFT) == 0;
    if (done)
        forget_idle(slab);
    // A drain that wanted to release the slab meanwhile could not: let it come again.
    word = atomic_load_explicit(&s->word, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&s->word, &word,
                                                  (word & ~STATE_PURGING) | STATE_DIRTY,
                                                  memory_order_seq_cst, memory_order_relaxed)) {
    }
    if (!(word & STATE_DIRTY))
        push_dirty(state_id(word), slab);
    return done;
}

// While its owner sleeps.
static void purge_asleep(u32 slab, u32 gen)
{
    u64 word = atomic_load_explicit(&arena.state[slab].word, memory_order_relaxed);
    if (state_gen(word) == gen && state_id(word) != 0 && sleeps(the.heaps[state_id(word)]))
        purge_free(slab, word);
}

__attribute__((no_sanitize("thread"))) static bool is_idle(u32 slab)
{
    return arena.side[slab].where == SLAB_IDLE && arena.side[slab].holes == 0;
}

bool remote_purge(u32 slab)
{
    u64 word = atomic_load_explicit(&arena.state[slab].word, memory_order_relaxed);
    return state_id(word) != 0 && is_idle(slab) && purge_free(slab, word);
}

// Free block `i` of `slab`, which is not h's. h may be NULL when no heap can be had.
void remote_free(struct heap *h, u32 slab, u32 i, void *p)
{
    struct state *s = &arena.state[slab];
    unsigned cls = arena.desc[slab].cls;
    for (;;) {
        // Our block is live, so until its bit is set the slab cannot be released. Acquire: see
        // what a former owner wrote.
        u64 word = atomic_load_explicit(&s->word, memory_order_acquire);
        if (unlikely(word & STATE_GONE))
            die("free: block was already freed", p);
        if (state_id(word) == 0 && h != NULL) {
            bool ours = word & STATE_POOLED ? adopt_pooled(h, slab, state_gen(word), cls)
                                            : claim(h, slab, word);
            if (ours) {
                remote_collect(h, slab); // bits of a handler that could not take the pool's lock
                heap_free_owned(h, &arena.desc[slab], slab, i, p);
                return;
            }
            if (!(word & STATE_POOLED) || !lock_held(&pool_of(cls)->lock))
                continue;
        }
        u64 m = (u64)1 << (i & 63);
        u64 old =
            atomic_fetch_or_explicit(&arena.remote[slab].bits[i >> 6], m, memory_order_seq_cst);
        if (unlikely(old & m))
            die("free: block was already freed (by another thread)", p);
        announce(h, slab, state_gen(word), cls);
        purge_asleep(slab, state_gen(word));
        return;
    }
}

// ---------------------------------------------------------------- the owner's side

void remote_collect(struct heap *h, u32 slab)
{
    struct desc *d = &arena.desc[slab];
    struct side *e = &arena.side[slab];
    const struct window *w = &h->window[d->cls];
    for (u32 k = 0; k * 64 < d->blocks; k++) {
        _Atomic u64 *bits = &arena.remote[slab].bits[k];
        // Sequentially consistent, both: see announce. Acquire part: the block's last writes by
        // the stranger come before its next life.
        if (atomic_load_explicit(bits, memory_order_seq_cst) == 0)
            continue;
        u64 x = atomic_exchange_explicit(bits, 0, memory_order_seq_cst);
        u64 not_out = e->free[k] | (w->free == &e->free[k] ? w->word : 0);
        if (unlikely(not_out & x)) {
            u32 i = k * 64 + (u32)__builtin_ctzll(not_out & x);
            die("free: block was already freed (by another thread)",
                page_addr(slab) + (size_t)i * desc_size(d));
        }
        e->free[k] |= x;
        e->left = (int16_t)(e->left - (int)bits_in(x));
    }
}

void remote_drain(struct heap *h)
{
    atomic_store_explicit(&h->dirty_pages, 0, memory_order_relaxed);
    atomic_store_explicit(&h->drained_ms, (u32)os_coarse_ms(), memory_order_relaxed);
    u32 slab = atomic_exchange_explicit(&h->dirty, 0, memory_order_acquire);
    while (slab != 0) {
        struct state *s = &arena.state[slab];
        u32 next = atomic_load_explicit(&s->next, memory_order_relaxed);
        // From here on a stranger may put the slab into our dirty list again.
        atomic_fetch_and_explicit(&s->word, ~STATE_DIRTY, memory_order_seq_cst);
        remote_collect(h, slab);
        slab_edge(h, slab);
        slab = next;
    }
}
