// label.c: see label.h.
#include "record/label.h"

#include "format/label.h"
#include "os/os.h"
#include "os/share.h"
#include "record/writer.h"

#include <errno.h>

#define WAIT_MS     50 // at a time
#define WAIT_MAX_NS 1000000000u

static _Atomic bool tool_gone; // it did not answer once

static int wait_for_tool(struct recording *map, struct label_slot *s, u32 ready)
{
    u64 until = os_monotonic_ns() + WAIT_MAX_NS;
    while (atomic_load_explicit(&s->state, memory_order_acquire) == ready) {
        bool over = atomic_load(&map->closed) != 0 || os_monotonic_ns() >= until;
        if (over && label_done(s, ready)) {
            atomic_store(&tool_gone, true);
            return -ETIMEDOUT;
        }
        os_wait(&s->state, ready, WAIT_MS);
    }
    return 0;
}

int label_set(const char *name)
{
    struct recording *map = writer_map();
    u32 state;
    if (map == NULL || atomic_load(&map->closed) != 0)
        return -ENOENT;
    if (atomic_load(&tool_gone))
        return -ETIMEDOUT;
    struct label_slot *s = label_take(map, &state);
    if (s == NULL)
        return -EBUSY;
    u32 ready = label_ready(s, state, os_thread_id(), name, strlen(name));
    atomic_fetch_add_explicit(&map->bell, 1, memory_order_release);
    os_wake(&map->bell);
    return wait_for_tool(map, s, ready);
}
