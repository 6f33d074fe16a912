// track.c: an allocator that counts, limits and fails on purpose.
//
// Bytes are reserved before the allocator beneath is asked, so that threads cannot pass the limit
// together; a refusal gives them back. Counters are plain words in the header, because C++ has no
// _Atomic, and changed by the atomic builtins. All are relaxed: they order nothing.
#include <loam/track.h>

#include "base/base.h"

#include <errno.h>

static size_t add(size_t *counter, size_t n)
{
    return __atomic_add_fetch(counter, n, __ATOMIC_RELAXED);
}

static size_t load(const size_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void raise_max(loam_track *t, size_t live)
{
    size_t max = load(&t->live_bytes_max);
    while (live > max && !__atomic_compare_exchange_n(&t->live_bytes_max, &max, live, true,
                                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

// Take `more` bytes of the limit. False when the request is to be refused.
static bool reserve(loam_track *t, size_t more)
{
    size_t number = add(&t->requests, 1);
    size_t fail_at = load(&t->fail_at);
    if (fail_at != 0 && number >= fail_at)
        return false;
    size_t limit = load(&t->limit);
    size_t live = load(&t->live_bytes);
    do {
        if (limit != 0 && (live > limit || more > limit - live))
            return false;
    } while (!__atomic_compare_exchange_n(&t->live_bytes, &live, live + more, true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

static void give_back(loam_track *t, size_t bytes)
{
    size_t before = __atomic_fetch_sub(&t->live_bytes, bytes, __ATOMIC_RELAXED);
    if (unlikely(before < bytes))
        die("track: more bytes released than allocated", t);
}

static void *refuse(loam_track *t)
{
    add(&t->failures, 1);
    errno = ENOMEM;
    return NULL;
}

static void *track_fresh(void *self, loam_layout l, bool zero)
{
    loam_track *t = self;
    if (!reserve(t, l.size))
        return refuse(t);
    void *p = zero ? loam_alloc_new_zeroed(t->inner, l) : loam_alloc_new(t->inner, l);
    if (p == NULL) {
        give_back(t, l.size);
        return refuse(t);
    }
    add(&t->live_blocks, 1);
    raise_max(t, load(&t->live_bytes));
    return p;
}

static void *track_resize(void *self, void *p, loam_layout from, size_t size)
{
    loam_track *t = self;
    size_t more = size > from.size ? size - from.size : 0;
    if (!reserve(t, more))
        return refuse(t);
    void *q = loam_alloc_resize(t->inner, p, from, size);
    if (q == NULL) {
        give_back(t, more);
        return refuse(t);
    }
    raise_max(t, load(&t->live_bytes));
    if (size < from.size)
        give_back(t, from.size - size);
    return q;
}

static void track_release(void *self, void *p, loam_layout l)
{
    loam_track *t = self;
    size_t before = __atomic_fetch_sub(&t->live_blocks, 1, __ATOMIC_RELAXED);
    if (unlikely(before == 0))
        die("track: more blocks released than allocated", p);
    give_back(t, l.size);
    loam_alloc_free(t->inner, p, l);
}

static const loam_alloc_ops track_ops = {track_fresh, track_resize, track_release};

void loam_track_init(loam_track *t, loam_alloc inner)
{
    *t = (loam_track){.inner = inner};
}

void loam_track_done(loam_track *t)
{
    if (unlikely(load(&t->live_blocks) != 0))
        die("track: blocks are left", t);
}

loam_alloc loam_track_alloc(loam_track *t)
{
    return (loam_alloc){&track_ops, t};
}

void loam_track_set_limit(loam_track *t, size_t bytes)
{
    __atomic_store_n(&t->limit, bytes, __ATOMIC_RELAXED);
}

void loam_track_fail_at(loam_track *t, size_t n)
{
    __atomic_store_n(&t->fail_at, n == 0 ? 0 : load(&t->requests) + n, __ATOMIC_RELAXED);
}
