// slab.c: the life of a slab in its owner's hands: born, current, full, asleep, partial, released.
//
//              refill                        full: park (nobody's) or keep
//     new ---> CURRENT --------------------------> ASLEEP/KEPT
//                 ^                                    | an eighth is free again
//                 |---------- PARTIAL <----------------'
//                 |              | three quarters are free
//                 |---------- SPARSE ---> HOLED  memory between its blocks given back (holes.c)
//                   refill       | all free, and not the last of its class
//                                '---> released, or IDLE first if its blocks are larger (idle.c)
//
// Wake hysteresis: a full slab does not come back at its first free, else malloc would hop from
// slab to slab for single blocks (29 ns instead of 9 a pair, measured with 500 KiB live).
#include "heap/fast.h"

// So many full slabs of a class stay owned instead of being parked: a thread that cycles through a
// few slabs never pays for giving them up and claiming them back.
#define FULL_KEPT 64

// `used` at which a sleeping slab of n blocks wakes.
static u16 wake_at(u32 blocks)
{
    u32 freed = blocks / (blocks < 64 ? 4 : 8);
    freed = freed < 1 ? 1 : freed;
    return (u16)(blocks - (blocks >= 8 && freed < 2 ? 2 : freed));
}

// ---------------------------------------------------------------- lists

void slab_link(u32 *list, u32 slab)
{
    struct side *e = &arena.side[slab];
    e->prev = 0;
    e->next = *list;
    if (*list != 0)
        arena.side[*list].prev = slab;
    __atomic_store_n(list, slab, __ATOMIC_RELAXED); // slab_from_pool looks without the lock
}

void slab_unlink(u32 *list, u32 slab)
{
    struct side *e = &arena.side[slab];
    assert(e->prev != 0 || *list == slab);
    if (e->prev != 0)
        arena.side[e->prev].next = e->next;
    else
        __atomic_store_n(list, e->next, __ATOMIC_RELAXED);
    if (e->next != 0)
        arena.side[e->next].prev = e->prev;
}

// `used` at which a partly free slab counts as sparse.
static u16 sparse_at(u32 blocks)
{
    return (u16)(blocks / 4);
}

static u32 *list_of(struct heap *h, u32 slab)
{
    unsigned where = arena.side[slab].where;
    assert(where < SLAB_LISTS || where == SLAB_KEPT);
    return &h->cls[arena.desc[slab].cls].list[where < SLAB_LISTS ? where : SLAB_ASLEEP];
}

static void enter(struct heap *h, u32 slab, enum slab_where where, u32 low)
{
    struct side *e = &arena.side[slab];
    e->where = (u8)where;
    side_set_low(e, low);
    slab_link(list_of(h, slab), slab);
}

static void fall_asleep(struct heap *h, u32 slab, enum slab_where where)
{
    enter(h, slab, where, wake_at(arena.desc[slab].blocks));
}

// The list of a slab that is awake.
void slab_place(struct heap *h, u32 slab)
{
    u32 sparse = sparse_at(arena.desc[slab].blocks);
    if (side_used(&arena.side[slab]) > sparse)
        enter(h, slab, SLAB_PARTIAL, sparse);
    else
        enter(h, slab, arena.side[slab].holes != 0 ? SLAB_HOLED : SLAB_SPARSE, 0);
}

// ---------------------------------------------------------------- birth and death

void slab_set_owner(u32 slab, struct heap *h)
{
    u32 pages = desc_size(&arena.desc[slab]) <= SLAB_EXACT_MAX ? arena.desc[slab].pages : 1;
    for (u32 i = 0; i < pages; i++)
        atomic_store_explicit(&arena.desc[slab + i].owner, h, memory_order_relaxed);
}

u32 slab_new(struct heap *h, unsigned cls)
{
    const struct class_info *info = &class_info[cls];
    bool zero;
    u32 slab = pages_take(info->pages, 1, &zero);
    if (slab == 0)
        return 0;
    if (zero) // memory that is new to the process: what idle slabs have serves for the next one
        idle_give(h, (size_t)info->pages << PAGE_SHIFT);
    size_t growth = pages_growth();
    if (growth != 0)
        holes_give(h, growth);
    struct side *e = &arena.side[slab];
    *e = (struct side){.where = SLAB_CURRENT, .zeroed = zero, .magic = info->magic};
    for (u32 i = 0; i < info->blocks; i += 64)
        e->free[i >> 6] = info->blocks - i >= 64 ? ~(u64)0 : ((u64)1 << (info->blocks - i)) - 1;
    e->free[info->blocks >> 6] |= (u64)1 << (info->blocks & 63); // S3

    struct state *s = &arena.state[slab];
    u64 word = atomic_load_explicit(&s->word, memory_order_relaxed);
    assert(state_id(word) == 0);
    atomic_store_explicit(&s->word, state_make(state_gen(word), h->id, 0), memory_order_relaxed);

    for (u32 i = 0; i < info->pages; i++) {
        struct desc *d = &arena.desc[slab + i];
        d->pages = info->pages;
        d->side = e;
        d->back = desc_back(i);
        d->tags = 0;
        d->blocks = info->blocks;
        d->cls = (u8)cls;
        if (i > 0)
            d->kind = PAGE_TAIL;
    }
    slab_set_owner(slab, h);
    // Last, so that who looks at a stopped process sees a whole slab or none.
    __atomic_store_n(&arena.desc[slab].kind, PAGE_SLAB, __ATOMIC_RELEASE);
    slab_place(h, slab);
    return slab;
}

// Give up ownership: owner first, so that this thread's own fast path stops trusting it; then the
// state word, which lets others in. False when a stranger is at work on it: still ours.
static bool let_go(struct heap *h, u32 slab, u32 gen_step, u64 flags)
{
    u64 word = atomic_load_explicit(&arena.state[slab].word, memory_order_relaxed);
    assert(state_id(word) == h->id);
    if (word & (STATE_DIRTY | STATE_PURGING))
        return false;
    slab_set_owner(slab, NULL);
    // Release: whoever claims the slab (acquire) sees our last writes to side and desc.
    if (atomic_compare_exchange_strong_explicit(&arena.state[slab].word, &word,
                                                state_make(state_gen(word) + gen_step, 0, flags),
                                                memory_order_release, memory_order_relaxed))
        return true;
    slab_set_owner(slab, h);
    return false;
}

// Return an empty slab, which is in no list, to the page heap.
static bool release(struct heap *h, u32 slab)
{
    struct desc *d = &arena.desc[slab];
    struct side *e = &arena.side[slab];
    assert(side_used(e) == 0);
    if (!let_go(h, slab, 1, STATE_GONE))
        return false;
    if (d->tags != 0)
        span_tags_gone(d);
    idle_leave(slab);
    holes_forget(slab);
    u32 pages = d->pages;
    for (u32 i = 0; i < pages; i++)
        arena.desc[slab + i].kind = PAGE_NONE;
    pages_give(slab, pages, e->fresh > 0 || !e->zeroed);
    return true;
}

// ---------------------------------------------------------------- edges

// The last slab of a class that has free blocks stays: churn would take it back at once.
static bool is_last(const struct heap *h, u32 slab)
{
    const struct class_state *c = &h->cls[arena.desc[slab].cls];
    const struct side *e = &arena.side[slab];
    u32 awake = 0;
    for (int i = SLAB_PARTIAL; i < SLAB_LISTS; i++)
        awake += c->list[i] != 0;
    return awake == 1 && e->next == 0 && e->prev == 0;
}

void slab_edge(struct heap *h, u32 slab)
{
    struct side *e = &arena.side[slab];
    if (e->where == SLAB_CURRENT || e->where == SLAB_IDLE || e->left > 0)
        return;
    if (e->where == SLAB_KEPT)
        h->cls[arena.desc[slab].cls].full--;
    if (e->where != SLAB_SPARSE && e->where != SLAB_HOLED) {
        slab_unlink(list_of(h, slab), slab);
        slab_place(h, slab);
    }
    if (side_used(e) > 0 || is_last(h, slab))
        return;
    slab_unlink(list_of(h, slab), slab);
    if (!idle_keep(h, slab) && !release(h, slab))
        slab_link(list_of(h, slab), slab); // dirty: the drain will try again
}

bool slab_release_idle(struct heap *h, u32 slab)
{
    slab_unlink(list_of(h, slab), slab);
    if (release(h, slab))
        return true;
    slab_link(list_of(h, slab), slab);
    return false;
}

// The window has left the slab (R5).
static void leave_current(u32 slab)
{
    // Release: a stranger that may now purge sees the free bitmap without the window's blocks.
    atomic_fetch_and_explicit(&arena.state[slab].word, ~STATE_CURRENT, memory_order_release);
}

bool slab_make_current(struct heap *h, u32 slab)
{
    struct state *s = &arena.state[slab];
    // Acquire: what a purge did to the memory comes before the blocks' next lives.
    u64 old = atomic_fetch_or_explicit(&s->word, STATE_CURRENT, memory_order_acq_rel);
    if (old & STATE_PURGING) {
        atomic_fetch_and_explicit(&s->word, ~STATE_CURRENT, memory_order_relaxed);
        return false;
    }
    struct class_state *c = &h->cls[arena.desc[slab].cls];
    slab_unlink(list_of(h, slab), slab);
    idle_leave(slab);
    holes_forget(slab);
    c->current = slab;
    c->at = AT_START;
    arena.side[slab].where = SLAB_CURRENT;
    side_set_low(&arena.side[slab], 0);
    return true;
}

void slab_park(struct heap *h, u32 slab)
{
    struct class_state *c = &h->cls[arena.desc[slab].cls];
    c->current = 0;
    if (c->full < FULL_KEPT) {
        c->full++;
        fall_asleep(h, slab, SLAB_KEPT);
        leave_current(slab);
        return;
    }
    arena.side[slab].where = SLAB_ASLEEP;
    if (let_go(h, slab, 0, 0))
        return;
    // A dirty slab stays ours without limit: the drain that DIRTY promises will find it. Waiting
    // for it here could be for ever, if the stranger is who this signal handler interrupted.
    fall_asleep(h, slab, SLAB_ASLEEP);
    leave_current(slab);
}

void slab_adopt(struct heap *h, u32 slab)
{
    assert(state_id(atomic_load(&arena.state[slab].word)) == h->id);
    slab_set_owner(slab, h);
    fall_asleep(h, slab, SLAB_ASLEEP);
}

// ---------------------------------------------------------------- the pool

bool slab_from_pool(struct heap *h, unsigned cls)
{
    // A look without the lock, then with it.
    u32 *list = pool_list(cls);
    struct lock *lock = &pool_of(cls)->lock;
    if (__atomic_load_n(list, __ATOMIC_RELAXED) == 0 || !lock_take(lock))
        return false;
    u32 slab = *list;
    if (slab != 0)
        slab_unpool(h, slab);
    lock_give(lock);
    if (slab == 0)
        return false;
    remote_collect(h, slab);
    slab_unlink(list_of(h, slab), slab);
    slab_place(h, slab);
    return true;
}

// Its pool's lock is held, `slab` is in the pool: make it ours.
void slab_unpool(struct heap *h, u32 slab)
{
    struct state *s = &arena.state[slab];
    slab_unlink(pool_list(arena.desc[slab].cls), slab);
    u64 word = atomic_load_explicit(&s->word, memory_order_relaxed);
    assert(word & STATE_POOLED);
    // Acquire comes with the lock; nobody else changes a pooled word (R3).
    atomic_store_explicit(&s->word, state_make(state_gen(word), h->id, 0), memory_order_release);
    slab_adopt(h, slab);
}

static bool pool(struct heap *h, u32 slab)
{
    unsigned cls = arena.desc[slab].cls;
    if (!lock_take(&pool_of(cls)->lock))
        return false;
    arena.side[slab].where = SLAB_POOLED;
    bool done = let_go(h, slab, 0, STATE_POOLED);
    if (done)
        slab_link(pool_list(cls), slab);
    lock_give(&pool_of(cls)->lock);
    return done;
}

// ---------------------------------------------------------------- the end of a thread

// Part with a slab that is in no list. False: a stranger's free is on its way to us.
static bool part(struct heap *h, u32 slab)
{
    struct side *e = &arena.side[slab];
    if (e->where == SLAB_CURRENT)
        leave_current(slab);
    if (e->where == SLAB_IDLE)
        return release(h, slab);
    e->where = SLAB_ASLEEP;
    if (side_used(e) == 0)
        return release(h, slab);
    if (side_used(e) == arena.desc[slab].blocks)
        return let_go(h, slab, 0, 0);
    return pool(h, slab);
}

bool slab_disown(struct heap *h, u32 slab)
{
    if (part(h, slab))
        return true;
    // In a list, because the next drain may want to move it.
    if (arena.side[slab].where == SLAB_IDLE)
        slab_link(list_of(h, slab), slab);
    else
        fall_asleep(h, slab, SLAB_ASLEEP);
    return false;
}
