// lock_order.c: LOAM=debug=on: in which order a program takes its loam mutexes.
#include "own/lock_order.h"

#include "os/os.h"
#include "own/debug.h"

#define HELD_MAX  8 // locks held at once by a thread; deeper ones are not looked at
#define PAIRS_MAX 4096

// O1  pair k says: some thread held `held` when it took `taken`; each pair is there once.
struct pair {
    const void *held, *taken;
    u32 trace, thread;
    bool reached; // while a ring is looked for
};

static struct {
    struct lock lock;
    u32 count;
    struct pair pair[PAIRS_MAX];
} the;

static thread_local_ const void *held[HELD_MAX];
static thread_local_ u8 held_count;

static const struct pair *find(const void *from, const void *to)
{
    for (u32 i = 0; i < the.count; i++)
        if (the.pair[i].held == from && the.pair[i].taken == to)
            return &the.pair[i];
    return NULL;
}

// The first pair of a way from `from` to `to`, or NULL. Pairs that a way can reach are marked until
// no more are.
static const struct pair *first_of_way(const void *from, const void *to)
{
    for (u32 first = 0; first < the.count; first++) {
        if (the.pair[first].held != from)
            continue;
        for (u32 i = 0; i < the.count; i++)
            the.pair[i].reached = i == first;
        for (bool more = true; more;) {
            more = false;
            for (u32 i = 0; i < the.count; i++) {
                if (!the.pair[i].reached)
                    continue;
                if (the.pair[i].taken == to)
                    return &the.pair[first];
                for (u32 k = 0; k < the.count; k++)
                    if (!the.pair[k].reached && the.pair[k].held == the.pair[i].taken)
                        more = the.pair[k].reached = true;
            }
        }
    }
    return NULL;
}

static void add(const void *from, const void *to)
{
    u32 trace = debug_trace();
    struct note first = {0};
    bool ring = false;
    if (!lock_take(&the.lock))
        return;
    if (find(from, to) == NULL && the.count < PAIRS_MAX) {
        const struct pair *back = first_of_way(to, from);
        if (back != NULL) {
            ring = true;
            first = (struct note){.trace = back->trace, .thread = back->thread};
        }
        the.pair[the.count++] = (struct pair){from, to, trace, debug_thread(), false};
    }
    lock_give(&the.lock);
    if (ring)
        debug_tell(&(struct telling){"mutex: two locks are taken in both orders", to,
                                     "this one first, and then the other here",
                                     "the other first, and then this one here", &first, NULL});
}

void lock_order_take(const void *lock)
{
    for (u32 i = 0; i < held_count; i++)
        if (held[i] != lock)
            add(held[i], lock);
}

void lock_order_took(const void *lock)
{
    if (held_count < HELD_MAX)
        held[held_count++] = lock;
    note_put(NOTE_LOCK_TAKEN, lock, 0, NULL);
}

void lock_order_gave(const void *lock)
{
    for (u32 i = held_count; i-- > 0;)
        if (held[i] == lock) {
            for (held_count--; i < held_count; i++)
                held[i] = held[i + 1];
            return;
        }
}

void lock_order_reset(const void *lock)
{
    if (!lock_take(&the.lock))
        return;
    for (u32 i = 0; i < the.count;)
        if (the.pair[i].held == lock || the.pair[i].taken == lock)
            the.pair[i] = the.pair[--the.count];
        else
            i++;
    lock_give(&the.lock);
}
