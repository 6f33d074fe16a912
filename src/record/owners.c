// owners.c: the named owners of memory, written into the recording when the process ends.
#include "record/owners.h"

#include "heap/owner.h"
#include "os/world.h"
#include "record/sites.h"
#include "record/writer.h"

#include <string.h>

#define TEXT_MAX 256 // of a name or a place

static struct {
    _Atomic u32 written; // index of the process that has written its own
} the;

void owners_watch(void)
{
    owner_watch();
}

static u16 length(const char *s)
{
    return s == NULL ? 0 : (u16)strnlen(s, TEXT_MAX);
}

static void put(char **to, const char *s, u16 length)
{
    if (length != 0)
        memcpy(*to, s, length);
    *to += length;
}

static void write_one(void *ctx unused_, const struct owner_sum *s)
{
    u16 kind = length(s->kind), name = length(s->name), place = length(s->place);
    size_t bytes = round_up(sizeof(struct record_owner) + kind + name + place, 8);
    struct record_owner *r = writer_reserve(RECORD_OWNER, bytes);
    if (r == NULL)
        return;
    r->count = s->count;
    r->live = s->live;
    r->held_bytes = s->held;
    r->used_bytes = s->used;
    r->used_max = s->used_max;
    r->resets = s->resets;
    r->kind_len = kind;
    r->name_len = name;
    r->place_len = place;
    char *to = r->text;
    put(&to, s->kind, kind);
    put(&to, s->name, name);
    put(&to, s->place, place);
    writer_commit(r, bytes);
}

static void write_pauses(void)
{
    struct world_pauses seen = world_pauses();
    struct record_pauses *r = seen.count == 0 ? NULL : writer_reserve(RECORD_PAUSES, sizeof *r);
    if (r == NULL)
        return;
    r->count = seen.count;
    r->max_ns = seen.max_ns;
    r->total_ns = seen.total_ns;
    writer_commit(r, sizeof *r);
}

void owners_write(void)
{
    if (!sites_lock())
        return;
    u32 me = writer_process();
    if (me != 0 && atomic_exchange_explicit(&the.written, me, memory_order_relaxed) != me) {
        owner_sums(write_one, NULL);
        write_pauses();
    }
    sites_unlock();
}
