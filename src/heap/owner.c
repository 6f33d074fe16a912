// owner.c: the registry of named owners.
//
// Owners are few and change rarely, readers rarer still: a list under a lock is enough. The lists
// are sharded, because a scratch region may register in every call of a busy function.
#include "heap/owner.h"
#include "os/os.h"

#define SHARDS 16

static struct {
    struct shard {
        aligned_(64) struct lock lock;
        loam_owner_link *first;
    } shard[SHARDS];
    _Atomic u32 next_shard;
} the_owners;

// Shards are dealt out to threads in turn. One more than the number, 0 = none yet.
static thread_local_ unsigned char my_shard;

// Set in a thread that forks from a signal handler inside the registry; see owner_fork_prepare.
static thread_local_ u32 fork_skipped;

static unsigned pick_shard(void)
{
    if (my_shard == 0)
        my_shard = (unsigned char)(1 + atomic_fetch_add_explicit(&the_owners.next_shard, 1,
                                                                 memory_order_relaxed) %
                                           SHARDS);
    return my_shard - 1u;
}

static struct shard *take(unsigned i)
{
    struct shard *s = &the_owners.shard[i];
    if (unlikely(!lock_take(&s->lock)))
        die("owner: a signal handler uses a region or pool that it interrupted", s);
    return s;
}

void owner_add(loam_owner_link *link, const struct loam_owner_ops *ops)
{
    assert(link->ops == NULL); // N1
    link->shard = pick_shard();
    struct shard *s = take(link->shard);
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
    struct shard *s = take(link->shard);
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

static loam_owner_info describe(const loam_owner_link *link)
{
    loam_owner_info info = {.kind = link->ops->kind};
    link->ops->describe(link, &info);
    return info;
}

static bool find_in_shard(const struct shard *s, const void *p, loam_owner_info *ret)
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
        struct shard *s = take(i);
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
        struct shard *s = take(i);
        found = find_in_shard(s, p, ret);
        lock_give(&s->lock);
    }
    return found;
}

bool loam_owner_at(size_t i, loam_owner_info *ret)
{
    bool found = false;
    for (unsigned k = 0; k < SHARDS && !found; k++) {
        struct shard *s = take(k);
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

// A shard that the forking thread itself holds stays held: the interrupted code gives it.
void owner_fork_prepare(void)
{
    fork_skipped = 0;
    for (unsigned i = 0; i < SHARDS; i++)
        if (!lock_take(&the_owners.shard[i].lock))
            fork_skipped |= 1u << i;
}

void owner_fork_done(void)
{
    for (unsigned i = 0; i < SHARDS; i++)
        if (!(fork_skipped & 1u << i))
            lock_give(&the_owners.shard[i].lock);
}
