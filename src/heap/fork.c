// fork.c: a child that can allocate, whoever forked whenever.
//
// Before the fork all locks are taken, in order of rank, so that no structure under them is half
// changed. A signal handler may fork while its thread holds some of them: these stay held, and the
// interrupted code gives them, in the parent and in the child. But then the order is broken: who
// holds another lock may wait for one of ours, and waiting for that one could be for ever. So such
// a fork does not wait long, and the child frees and mends what it could not have.
//
// What other threads were doing inside their own heaps is not waited for: in the child
// their heaps are not believed, but rebuilt from the bitmaps, which are right at any instant but
// for blocks that were on their way to a thread that no longer exists. This repair runs at the
// child's first slow path, so that a child that only calls exec pays nothing.
#include "heap/background.h"
#include "heap/fast.h"
#include "heap/owner.h"
#include "heap/pages.h"
#include "os/chunk.h"

#include <pthread.h>

// The locks in order of rank.
enum { PURGE = OWNER_LOCKS + 1 + POOL_LOCKS, GROW, PAGES, META, LOCKS };
static_assert(LOCKS <= 64, "a bit each");

static struct lock *nth(unsigned i)
{
    if (i < OWNER_LOCKS)
        return owner_fork_lock(i);
    i -= OWNER_LOCKS;
    if (i == 0)
        return &the.heaps_lock;
    if (i <= POOL_LOCKS)
        return &the.pools[i - 1].lock;
    struct lock *const rest[] = {&the.purge_lock, &the.grow_lock, &the.pages_lock, &the.meta_lock};
    return rest[i - 1 - POOL_LOCKS];
}

// What a fork took, and what it could not have. A handler that interrupts the handlers of a fork
// may fork as well: the inner one finds the outer one's locks held.
#define DEPTH_MAX 4
struct forking {
    u64 taken, missed;
    bool hurry;
};
static thread_local_ struct forking forking[DEPTH_MAX];
static thread_local_ unsigned depth;

// So long a fork out of order waits, for all locks together.
#define PATIENCE_MS 100

static bool is_out_of_order(void)
{
    for (unsigned i = 0; i < LOCKS; i++)
        if (lock_held(nth(i)))
            return true;
    return chunk_fork_held();
}

static void prepare(void)
{
    unsigned d = depth++;
    if (d >= DEPTH_MAX)
        return;
    forking[d] = (struct forking){.hurry = is_out_of_order()};
    u64 end = forking[d].hurry ? os_coarse_ms() + PATIENCE_MS : 0;
    for (unsigned i = 0; i < LOCKS; i++) {
        enum lock_got got = lock_take_until(nth(i), end);
        if (got == LOCK_GOT)
            forking[d].taken |= (u64)1 << i;
        else if (got == LOCK_MISSED)
            forking[d].missed |= (u64)1 << i;
    }
    chunk_fork_prepare();
}

static void give_all(const struct forking *f)
{
    for (unsigned i = LOCKS; i-- > 0;)
        if (f->taken >> i & 1)
            lock_give(nth(i));
}

static void parent(void)
{
    chunk_fork_parent();
    if (--depth >= DEPTH_MAX)
        return;
    give_all(&forking[depth]);
    if (!forking[depth].hurry) // else it would wait; the next who takes or gives pages will see
        pages_settle();
}

// Who held these locks is not here. All of them were waiting for one of ours, or were in the middle
// of something long; what can be half done, then, is growth (arena.c leaves it in order), a purge,
// and, if that thread forked from a handler, too, the page heap's maps.
static void mend_missed(const struct forking *f)
{
    for (unsigned i = 0; i < LOCKS; i++)
        if (f->missed >> i & 1)
            lock_break(nth(i));
    if (f->missed >> PAGES & 1)
        pages_mend();
    if (f->missed >> PURGE & 1 && !lock_held(&the.pages_lock))
        pages_land();
}

static void child(void)
{
    chunk_fork_child();
    if (--depth < DEPTH_MAX) {
        mend_missed(&forking[depth]);
        give_all(&forking[depth]);
    }
    background_forked();
    // With one heap there is no other thread's work to repair.
    if (atomic_load_explicit(&loam_heap_root.heaps_count, memory_order_relaxed) > 1)
        atomic_store_explicit(&the.forked, 1, memory_order_relaxed);
    if (the.ops != NULL && the.ops->fork_child != NULL)
        the.ops->fork_child();
    if (arena.sampler != NULL)
        arena.sampler->fork_child();
}

__attribute__((constructor(101))) static void fork_start(void)
{
    pthread_atfork(prepare, parent, child);
}

// ---------------------------------------------------------------- the repair

static bool is_mine(u32 id)
{
    for (const struct heap *h = heap_mine; h != NULL; h = h->second)
        if (h->id == id)
            return true;
    return false;
}

// Read the free blocks of a slab off its bitmaps: what the window of its last owner held and what
// strangers freed is free as well.
static void recount(u32 slab)
{
    const struct desc *d = &arena.desc[slab];
    struct side *e = &arena.side[slab];
    u32 used = d->blocks;
    for (u32 k = 0; k * 64 < d->blocks; k++) {
        u64 bits = atomic_load_explicit(&arena.remote[slab].bits[k], memory_order_relaxed);
        if (bits != 0) {
            e->free[k] |= bits;
            atomic_store_explicit(&arena.remote[slab].bits[k], 0, memory_order_relaxed);
        }
        u32 left = d->blocks - k * 64;
        u64 valid = left >= 64 ? ~(u64)0 : ((u64)1 << left) - 1;
        used -= bits_in(e->free[k] & valid);
    }
    e->low = 0;
    e->left = (int16_t)used;
}

// A heap whose thread did not come along: its windows leave the bitmaps, its lists are forgotten.
static void forget(struct heap *h)
{
    for (unsigned cls = 0; cls < CLASS_COUNT; cls++) {
        struct window *w = &h->window[cls];
        if (w->free != NULL)
            *w->free |= w->word;
        w->free = NULL;
        w->word = 0;
        h->cls[cls] = (struct class_state){0};
    }
    atomic_store_explicit(&h->dirty, 0, memory_order_relaxed);
    h->second = NULL;
    h->busy = 0;
}

// A slab of a vanished thread becomes nobody's. `h`, ours, only does the work.
static void orphan(struct heap *h, u32 slab)
{
    u64 word = atomic_load_explicit(&arena.state[slab].word, memory_order_relaxed);
    atomic_store_explicit(&arena.state[slab].word, state_make(state_gen(word), h->id, 0),
                          memory_order_relaxed);
    slab_set_owner(slab, h);
    recount(slab);
    slab_disown(h, slab);
}

// Ours, but a vanished thread may have set bits or DIRTY and not told us.
static void mend(struct heap *h, u32 slab)
{
    atomic_fetch_and_explicit(&arena.state[slab].word, ~(STATE_DIRTY | STATE_PURGING),
                              memory_order_relaxed);
    remote_collect(h, slab);
    slab_edge(h, slab);
}

static bool has_remote_bits(u32 slab)
{
    for (u32 k = 0; k * 64 < arena.desc[slab].blocks; k++)
        if (atomic_load_explicit(&arena.remote[slab].bits[k], memory_order_relaxed) != 0)
            return true;
    return false;
}

static void mend_slab(struct heap *h, u32 slab)
{
    u64 word = atomic_load_explicit(&arena.state[slab].word, memory_order_relaxed);
    u32 id = state_id(word);
    if (word & STATE_POOLED)
        return; // its next taker collects
    if (id == 0 ? has_remote_bits(slab) : !is_mine(id))
        orphan(h, slab);
    else if (id != 0 && (id == h->id || !the.heaps[id]->busy))
        mend(the.heaps[id], slab);
}

// All spans; and pages that lead to a span which a vanished thread had not finished, or had begun
// to free. Their memory is lost to the child.
static void mend_spans(struct heap *h)
{
    u32 end = (u32)(arena_bytes() >> PAGE_SHIFT);
    u32 n;
    for (u32 page = 1; page < end; page += n) {
        struct desc *d = &arena.desc[page];
        n = d->kind == PAGE_SLAB || d->kind == PAGE_LARGE ? d->pages : 1;
        if (d->kind == PAGE_SLAB) {
            mend_slab(h, page);
        } else if (d->kind == PAGE_LARGE) {
            large_mend(page);
        } else {
            d->kind = PAGE_NONE;
            if (atomic_load_explicit(&d->owner, memory_order_relaxed) != NULL)
                atomic_store_explicit(&d->owner, NULL, memory_order_relaxed);
            if (page % HUGE_PAGES == 0)
                arena.huge[page / HUGE_PAGES] = 0;
        }
    }
}

void fork_repair(struct heap *h)
{
    atomic_store_explicit(&the.forked, 0, memory_order_relaxed);
    u64 heaps = atomic_load_explicit(&loam_heap_root.heaps_count, memory_order_relaxed);
    for (struct heap *s = h; s != NULL; s = s->second)
        if (s == h || !s->busy)
            atomic_store_explicit(&s->dirty, 0, memory_order_relaxed);
    for (u32 id = 1; id <= heaps; id++)
        if (!is_mine(id))
            forget(the.heaps[id]);
    mend_spans(h);
    for (u32 id = 1; id <= heaps; id++)
        if (!is_mine(id) && !the.heaps[id]->retired)
            heap_put(the.heaps[id]);
}
