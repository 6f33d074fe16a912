// owner.c: the registry of named owners.
//
// Owners are few and change rarely, readers rarer still: a list under a lock is enough. The lists
// are sharded, because a scratch region may register in every call of a busy function.
#include "heap/owner.h"

#include "heap/api.h"
#include "os/os.h"
#include "os/share.h"

#include <string.h>

#define SHARDS OWNER_SHARDS

static struct {
    struct owner_shard shard[SHARDS];
    _Atomic u32 next_shard;
} the_owners;

// Shards are dealt out to threads in turn. One more than the number, 0 = none yet.
static thread_local_ unsigned char my_shard;

const struct owner_shard *owner_shards(void)
{
    return the_owners.shard;
}

// Set in a thread that calls owner_hold from a signal handler inside the registry.
static thread_local_ u32 held_before;

// ---------------------------------------------------------------- sums

#define SUMS 1024 // more names and places than that are counted in the last one

struct sum {
    struct owner_sum all; // live, held, used: of those that are there
    u64 live_resets;
};

// The lock comes after those of the shards.
static struct {
    struct lock lock;
    _Atomic(struct sum *) sum; // [SUMS]; NULL: nobody watches
} the_sums;

static struct sum *sums(void)
{
    return atomic_load_explicit(&the_sums.sum, memory_order_acquire);
}

void owner_watch(void)
{
    atomic_store_explicit(&the_sums.sum, heap_meta(SUMS * sizeof(struct sum)),
                          memory_order_release);
}

bool owner_watching(void)
{
    return sums() != NULL;
}

// Names are compared by address: one in two copies is two sums, which a reader adds up again.
static struct sum *sum_of(const loam_owner_info *o)
{
    struct sum *sum = sums();
    u32 i = 0;
    while (
        i < SUMS - 1 && sum[i].all.kind != NULL &&
        (sum[i].all.kind != o->kind || sum[i].all.name != o->name || sum[i].all.place != o->place))
        i++;
    if (sum[i].all.kind == NULL) {
        bool last = i == SUMS - 1;
        sum[i].all = (struct owner_sum){.kind = last ? "other" : o->kind,
                                        .name = last ? "(others)" : o->name,
                                        .place = last ? "" : o->place};
    }
    return &sum[i];
}

static void raise_max(struct sum *s, const loam_owner_info *o)
{
    s->all.used_max = size_max(s->all.used_max, size_max(o->used_max, o->used));
}

void owner_note(const loam_owner_info *o)
{
    if (sums() == NULL || !lock_take(&the_sums.lock))
        return;
    struct sum *s = sum_of(o);
    s->all.count++;
    s->all.resets += o->resets;
    raise_max(s, o);
    lock_give(&the_sums.lock);
}

// ---------------------------------------------------------------- the list

static loam_owner_info describe(const loam_owner_link *link)
{
    loam_owner_info info = {.kind = link->ops->kind};
    link->ops->describe(link, &info);
    return info;
}

static unsigned pick_shard(void)
{
    if (my_shard == 0)
        my_shard = (unsigned char)(1 + atomic_fetch_add_explicit(&the_owners.next_shard, 1,
                                                                 memory_order_relaxed) %
                                           SHARDS);
    return my_shard - 1u;
}

static struct owner_shard *take(unsigned i)
{
    struct owner_shard *s = &the_owners.shard[i];
    if (unlikely(!lock_take(&s->lock)))
        die("owner: a signal handler uses a region or pool that it interrupted", s);
    return s;
}

void owner_add(loam_owner_link *link, const struct loam_owner_ops *ops)
{
    assert(link->ops == NULL); // N1
    link->shard = pick_shard();
    struct owner_shard *s = take(link->shard);
    link->ops = ops;
    link->prev = NULL;
    link->next = s->first;
    if (s->first != NULL)
        s->first->prev = link;
    s->first = link;
    lock_give(&s->lock);
}

void owner_remove(loam_owner_link *link)
{
    if (link->ops == NULL)
        return;
    struct owner_shard *s = take(link->shard);
    if (unlikely(owner_watching())) {
        loam_owner_info info = describe(link);
        owner_note(&info);
    }
    if (link->next != NULL)
        link->next->prev = link->prev;
    if (link->prev != NULL) {
        link->prev->next = link->next;
    } else {
        assert(s->first == link); // N1
        s->first = link->next;
    }
    link->ops = NULL;
    lock_give(&s->lock);
}

void owner_lock(loam_owner_link *link)
{
    take(link->shard);
}

void owner_unlock(loam_owner_link *link)
{
    lock_give(&the_owners.shard[link->shard].lock);
}

static bool find_in_shard(const struct owner_shard *s, const void *p, loam_owner_info *ret)
{
    for (const loam_owner_link *l = s->first; l != NULL; l = l->next) {
        size_t offset;
        if (l->ops->find(l, p, &offset)) {
            *ret = describe(l);
            ret->offset = offset;
            if (l->ops->detail != NULL)
                l->ops->detail(l, p, ret);
            return true;
        }
    }
    return false;
}

void owner_each(const struct loam_owner_ops *ops, void (*see)(void *ctx, loam_owner_link *link),
                void *ctx)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct owner_shard *s = take(i);
        for (loam_owner_link *l = s->first; l != NULL; l = l->next)
            if (l->ops == ops)
                see(ctx, l);
        lock_give(&s->lock);
    }
}

bool loam_owner_find(const void *p, loam_owner_info *ret)
{
    bool found = false;
    for (unsigned i = 0; i < SHARDS && !found; i++) {
        struct owner_shard *s = take(i);
        found = find_in_shard(s, p, ret);
        lock_give(&s->lock);
    }
    return found;
}

struct words {
    char *at;
    size_t len, max;
};

static void put(struct words *w, const char *s, size_t n)
{
    for (size_t i = 0; i < n && s[i] != 0 && w->len + 1 < w->max; i++)
        w->at[w->len++] = s[i];
    if (w->max != 0)
        w->at[w->len] = 0;
}

static void put_offset(struct words *w, size_t n)
{
    char digits[DECIMAL_MAX];
    put(w, ", +", 3);
    put(w, digits, decimal(digits, n));
}

static void put_place(struct words *w, const char *place)
{
    const char *slash = strrchr(place, '/');
    if (*place != 0)
        put(w, ", ", 2);
    put(w, slash == NULL ? place : slash + 1, SIZE_MAX);
}

// `made` is "struct hdr, conn.c:88".
bool loam_owner_text(const void *p, char *ret_text, size_t size)
{
    loam_owner_info o;
    struct words w = {ret_text, 0, size};
    put(&w, "", 0);
    if (!loam_owner_find(p, &o))
        return false;
    const char *comma = o.made == NULL ? NULL : strrchr(o.made, ',');
    put(&w, o.kind, SIZE_MAX);
    put(&w, " ", 1);
    put(&w, o.name, SIZE_MAX);
    if (comma == NULL) {
        put_place(&w, o.place);
        put_offset(&w, o.offset);
        return true;
    }
    put_place(&w, comma + 2);
    put_offset(&w, o.in_object);
    put(&w, " in ", 4);
    put(&w, o.made, (size_t)(comma - o.made));
    return true;
}

bool loam_owner_at(size_t i, loam_owner_info *ret)
{
    bool found = false;
    for (unsigned k = 0; k < SHARDS && !found; k++) {
        struct owner_shard *s = take(k);
        const loam_owner_link *l = s->first;
        for (; l != NULL && i > 0; i--)
            l = l->next;
        found = l != NULL;
        if (found)
            *ret = describe(l);
        lock_give(&s->lock);
    }
    return found;
}

// ---------------------------------------------------------------- sums with what is there

static void sum_live(const loam_owner_link *l)
{
    loam_owner_info o = describe(l);
    struct sum *s = sum_of(&o);
    s->all.live++;
    s->all.held += o.held;
    s->all.used += o.used;
    s->live_resets += o.resets;
    raise_max(s, &o);
}

static void sum_shard(unsigned i)
{
    const loam_owner_link *prev = NULL, *l = the_owners.shard[i].first;
    for (; l != NULL && os_readable(l) && os_readable(l + 1); l = l->next) {
        if (l->ops == NULL || l->prev != prev || l->shard != i)
            return;
        sum_live(l);
        prev = l;
    }
}

static void forget_live(void)
{
    for (u32 i = 0; i < SUMS; i++) {
        struct owner_sum *s = &sums()[i].all;
        s->live = s->held = s->used = sums()[i].live_resets = 0;
    }
}

void owner_sums(void (*see)(void *ctx, const struct owner_sum *s), void *ctx)
{
    if (sums() == NULL)
        return;
    forget_live();
    for (unsigned i = 0; i < SHARDS; i++) {
        if (!lock_take(&the_owners.shard[i].lock))
            continue;
        if (lock_take(&the_sums.lock)) {
            sum_shard(i);
            lock_give(&the_sums.lock);
        }
        lock_give(&the_owners.shard[i].lock);
    }
    for (u32 i = 0; i < SUMS && sums()[i].all.kind != NULL; i++) {
        struct owner_sum s = sums()[i].all;
        s.count += s.live;
        s.resets += sums()[i].live_resets;
        see(ctx, &s);
    }
}

// ---------------------------------------------------------------- all of it

struct lock *owner_fork_lock(unsigned i)
{
    return i < SHARDS ? &the_owners.shard[i].lock : &the_sums.lock;
}

// A lock that the calling thread itself holds stays held: the interrupted code gives it.
void owner_hold(void)
{
    held_before = 0;
    for (unsigned i = 0; i < OWNER_LOCKS; i++)
        if (!lock_take(owner_fork_lock(i)))
            held_before |= 1u << i;
}

void owner_go(void)
{
    for (unsigned i = OWNER_LOCKS; i-- > 0;)
        if (!(held_before & 1u << i))
            lock_give(owner_fork_lock(i));
}
