// owner.h: the registry of named owners: whoever cuts the heap's blocks into objects of its own.
//
// It lives here because the toolkit (which registers) and the recorder (which reports) never see
// each other, and both see the heap. A few lists with a lock each, chosen by thread, so that
// threads that make short-lived regions do not meet.
//
// N1  a link is in the list of its shard iff its ops are not NULL.
// N2  an owner changes what its `find` walks only between owner_lock and owner_unlock.
#pragma once

#include "base/base.h"
#include "os/os.h"

#include <loam/owner.h>

struct loam_owner_ops {
    const char *kind;
    // Fill in what is known about the owner. Called under its lock; must not allocate.
    void (*describe)(const loam_owner_link *link, loam_owner_info *ret);
    // Does p lie in its memory? Then *ret_offset is where. Under its lock, as above.
    bool (*find)(const loam_owner_link *link, const void *p, size_t *ret_offset);
    // What more is known of the object at p, which lies in it; NULL if never anything.
    void (*detail)(const loam_owner_link *link, const void *p, loam_owner_info *ret);
};

// Not from signal handlers: one that interrupted the registry itself ends the program, because
// waiting would be for ever.
void owner_add(loam_owner_link *link, const struct loam_owner_ops *ops);
void owner_remove(loam_owner_link *link); // nothing happens if it is not registered
void owner_lock(loam_owner_link *link);   // nor here
void owner_unlock(loam_owner_link *link);

// The registry itself, for who looks at the process from outside: struct heap_root tells its
// address.
#define OWNER_SHARDS 16
struct owner_shard {
    aligned_(64) struct lock lock;
    loam_owner_link *first;
};
const struct owner_shard *owner_shards(void); // OWNER_SHARDS of them

// What the owners of one kind, name and place held, since owner_watch.
struct owner_sum {
    const char *kind, *name, *place;
    u64 count, live; // owners that there were; that there are
    u64 held, used;  // by those that there are
    u64 used_max;    // by one of them, ever
    u64 resets;
};
// Keep sums from now on: a look at each owner that comes or goes. Once, early.
void owner_watch(void);
bool owner_watching(void);
// Count an owner that never was in the list and is gone already.
void owner_note(const loam_owner_info *info);
// The sums, with those that are there now. One thread at a time; also in a signal handler: then
// what the interrupted code holds is left out. A link on a stack that is gone is noticed and left
// out.
void owner_sums(void (*see)(void *ctx, const struct owner_sum *s), void *ctx);

// Each owner with these ops, under its lock; as for `find`.
void owner_each(const struct loam_owner_ops *ops, void (*see)(void *ctx, loam_owner_link *link),
                void *ctx);

// Nobody changes the registry, nor what the owners' `find` walks, between these two.
void owner_hold(void);
void owner_go(void);

// Its locks in order of rank, for fork.c.
#define OWNER_LOCKS (OWNER_SHARDS + 1)
struct lock *owner_fork_lock(unsigned i);
