// tails.c: outer parts of stacks that were already written.
#include "record/tails.h"

#include "os/os.h"

#define STRIDE   4
#define PART_MIN 4096 // entries
#define MIX      0x9e3779b97f4a7c15u

// The outermost frames that hash to `hash` are those of `site` without its innermost `skip`.
struct entry {
    u64 hash; // 0: empty
    u32 site, skip;
};

static struct {
    struct entry *entries;
    size_t mask, count;
} the;

static u64 mix(u64 hash, u64 frame)
{
    hash = (hash ^ frame) * MIX;
    return hash ^ hash >> 32;
}

static struct entry *find(u64 hash)
{
    for (size_t i = hash >> 24;; i++) {
        struct entry *e = &the.entries[i & the.mask];
        if (e->hash == hash || e->hash == 0)
            return e;
    }
}

// Twice the room. Nobody reads without the lock, so the old table can go at once.
static bool grow(void)
{
    struct entry *old = the.entries;
    size_t old_count = old != NULL ? the.mask + 1 : 0;
    size_t room = old != NULL ? 2 * old_count : PART_MIN;
    struct entry *entries = os_map(room * sizeof *entries);
    if (entries == NULL)
        return false;
    the.entries = entries;
    the.mask = room - 1;
    for (size_t i = 0; i < old_count; i++)
        if (old[i].hash != 0)
            *find(old[i].hash) = old[i];
    if (old != NULL)
        os_unmap(old, old_count * sizeof *old);
    return true;
}

static bool have_room(u32 more)
{
    while (the.entries == NULL || the.count + more > the.mask / 4 * 3)
        if (!grow())
            return false;
    return true;
}

struct tail tails_share(const u64 *frames, u32 count, u32 site)
{
    struct tail t = {.own = count};
    u64 hash = 0;
    bool known = true; // so far, from the outermost frame
    if (!have_room(count / STRIDE))
        return t;
    for (u32 n = 1; n <= count; n++) {
        hash = mix(hash, frames[count - n]);
        if (n % STRIDE != 0)
            continue;
        struct entry *e = find(hash | 1);
        known = known && e->hash != 0;
        if (known) {
            t = (struct tail){count - n, e->site, e->skip};
        } else if (e->hash == 0) {
            *e = (struct entry){hash | 1, site, count - n};
            the.count++;
        }
    }
    return t;
}

void tails_clear(void)
{
    if (the.entries != NULL)
        os_unmap(the.entries, (the.mask + 1) * sizeof *the.entries);
    the.entries = NULL;
    the.mask = the.count = 0;
}
