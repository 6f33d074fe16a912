// owners.c: the named owners of another process.
#include "target/owners.h"

#include "heap/owner.h"
#include "own/gc.h"
#include "own/region.h"
#include "own/tasks.h"
#include "scan/tables.h"

#include <errno.h>
#include <loam/pool.h>
#include <loam/region.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINKS_MAX     ((size_t)1 << 16) // of one list
#define PIECES_MAX    ((size_t)1 << 16) // of one owner
#define POOL_FIRST    ((u64)32) // slots of a pool's first chunk; each next one has twice as many
#define TASKS_AT_ONCE 256

struct reader {
    struct owners *o;
    struct target *t;
    int error;
};

static void text_at(const struct reader *r, const void *at, char *ret, size_t size)
{
    memset(ret, 0, size);
    if (at != NULL)
        target_read(r->t, (u64)(uintptr_t)at, ret, size - 1);
}

static u64 addr(const void *p)
{
    return (u64)(uintptr_t)p;
}

// ---------------------------------------------------------------- lists that grow

static u32 add_owned(struct reader *r, const struct owned *x)
{
    struct owners *o = r->o;
    if (o->count == o->room) {
        size_t room = o->room != 0 ? 2 * o->room : 64;
        struct owned *more = realloc(o->owned, room * sizeof *more);
        if (more == NULL) {
            r->error = -ENOMEM;
            return 0;
        }
        o->owned = more;
        o->room = room;
    }
    o->owned[o->count] = *x;
    return (u32)o->count++;
}

static void add_range(struct reader *r, u32 owner, u64 start, u64 size, bool stack)
{
    struct owners *o = r->o;
    if (size == 0 || start == 0 || size > (u64)1 << 48 || start > ((u64)1 << 57) - size)
        return;
    if (o->range_count == o->range_room) {
        size_t room = o->range_room != 0 ? 2 * o->range_room : 256;
        struct owned_range *more = realloc(o->range, room * sizeof *more);
        if (more == NULL) {
            r->error = -ENOMEM;
            return;
        }
        o->range = more;
        o->range_room = room;
    }
    o->range[o->range_count++] = (struct owned_range){start, start + size, owner, stack};
}

// ---------------------------------------------------------------- kinds of owners

static void add_region(struct reader *r, u64 at, struct owned *x)
{
    loam_region g;
    if (target_read(r->t, at - offsetof(loam_region, owner), &g, sizeof g) < 0)
        return;
    text_at(r, g.name, x->name, sizeof x->name);
    text_at(r, g.place, x->place, sizeof x->place);
    u64 in_block = addr(g.at) - addr(g.block) - sizeof *g.block;
    x->held = g.held;
    x->used = g.below + (g.at != NULL && in_block < g.held ? in_block : 0);
    x->used_max = size_max(g.used_max, x->used);
    x->resets = g.resets;
    u32 owner = add_owned(r, x);
    u64 block = addr(g.block);
    for (size_t i = 0; r->error == 0 && block != 0 && i < PIECES_MAX; i++) {
        struct loam_region_block b = {0};
        target_read(r->t, block, &b, sizeof b);
        if (b.size > sizeof b)
            add_range(r, owner, block + sizeof b, b.size - sizeof b, false);
        block = b.size != 0 ? addr(b.older) : 0;
    }
}

static void add_pool(struct reader *r, u64 at, struct owned *x)
{
    loam_pool p;
    if (target_read(r->t, at - offsetof(loam_pool, owner), &p, sizeof p) < 0)
        return;
    text_at(r, p.name, x->name, sizeof x->name);
    text_at(r, p.place, x->place, sizeof x->place);
    x->held = p.held;
    x->used = (u64)p.live * p.slot.size;
    x->used_max = size_max(p.live, p.live_max) * p.slot.size;
    x->object = p.slot.size;
    u32 owner = add_owned(r, x);
    for (u32 k = 0; k < p.chunks && k < LOAM_POOL_CHUNKS && p.slot.size < (u64)1 << 32; k++)
        add_range(r, owner, addr(p.chunk[k]), (POOL_FIRST << k) * p.slot.size, false);
}

static void add_chunks(struct reader *r, u32 owner, const struct gc_chunk *first)
{
    u64 at = addr(first);
    for (size_t i = 0; r->error == 0 && at != 0 && i < PIECES_MAX; i++) {
        struct gc_chunk c = {0};
        target_read(r->t, at, &c, sizeof c);
        add_range(r, owner, addr(c.at), c.bytes, false);
        at = addr(c.next);
    }
}

static void add_gc(struct reader *r, u64 at, struct owned *x)
{
    loam_gc g;
    if (target_read(r->t, at - offsetof(loam_gc, owner), &g, sizeof g) < 0)
        return;
    text_at(r, g.name, x->name, sizeof x->name);
    text_at(r, g.place, x->place, sizeof x->place);
    x->held = g.held_chunks;
    x->used = size_min(g.stats.live_bytes + g.allocated, g.held_chunks);
    x->used_max = size_max(g.used_max, x->used);
    x->resets = g.stats.collections;
    x->pause_max_ns = g.stats.pause_ns_max;
    u32 owner = add_owned(r, x);
    add_chunks(r, owner, g.chunks);
    add_chunks(r, owner, g.full);
}

static void add_task(struct reader *r, const struct run *run, u32 i, const struct task *task)
{
    struct owned x = {.kind = "task"};
    u64 size = run->stacks.slot - run->stacks.guard;
    text_at(r, atomic_load_explicit(&task->name, memory_order_relaxed), x.name, sizeof x.name);
    x.held = x.used = size;
    u32 owner = add_owned(r, &x);
    add_range(r, owner, addr(run->stacks.base) + i * run->stacks.slot + run->stacks.guard, size,
              true);
}

static void add_tasks(struct reader *r, u64 at, struct owned *x)
{
    struct run run;
    struct task task[TASKS_AT_ONCE];
    if (target_read(r->t, at - offsetof(struct run, owner), &run, sizeof run) < 0 ||
        run.stacks.guard >= run.stacks.slot || run.stacks.slot > GiB || run.used > run.stacks.max)
        return;
    u64 base = addr(run.stacks.base),
        size = size_max(run.used, size_min(run.stacks.ready, run.stacks.max)) * run.stacks.slot;
    if (r->o->area_count < OWNED_AREAS && size != 0 && base < (u64)1 << 56)
        r->o->area[r->o->area_count++] = (struct owned_range){base, base + size, 0, true};
    u32 live = 0;
    for (u32 i = 0; r->error == 0 && i < run.used && live < PIECES_MAX; i++) {
        if (i % TASKS_AT_ONCE == 0) {
            u32 count = (u32)size_min(TASKS_AT_ONCE, run.used - i);
            memset(task, 0, sizeof task);
            target_read(r->t, addr(run.task + i), task, count * sizeof *task);
        }
        if (state_of(&task[i % TASKS_AT_ONCE]) == TASK_FREE)
            continue;
        add_task(r, &run, i, &task[i % TASKS_AT_ONCE]);
        live++;
    }
    snprintf(x->name, sizeof x->name, "run of %u tasks", live);
    x->held = x->used = 0; // its tasks say so themselves
    add_owned(r, x);
}

// ---------------------------------------------------------------- the registry

static void add_link(struct reader *r, u64 at, const loam_owner_link *link)
{
    struct loam_owner_ops ops = {0};
    struct owned x = {.kind = ""};
    target_read(r->t, addr(link->ops), &ops, sizeof ops);
    text_at(r, ops.kind, x.kind, sizeof x.kind);
    if (strcmp(x.kind, "region") == 0)
        add_region(r, at, &x);
    else if (strcmp(x.kind, "pool") == 0)
        add_pool(r, at, &x);
    else if (strcmp(x.kind, "gc") == 0)
        add_gc(r, at, &x);
    else if (strcmp(x.kind, "tasks") == 0)
        add_tasks(r, at, &x);
    else if (*x.kind != 0)
        add_owned(r, &x);
}

static void add_list(struct reader *r, const loam_owner_link *first)
{
    u64 at = addr(first);
    for (size_t i = 0; r->error == 0 && at != 0 && i < LINKS_MAX; i++) {
        loam_owner_link link = {0};
        target_read(r->t, at, &link, sizeof link);
        if (link.ops == NULL) // it left the list just now
            return;
        add_link(r, at, &link);
        at = addr(link.next);
    }
}

static int by_start(const void *a, const void *b)
{
    const struct owned_range *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

int owners_load(struct owners *o, struct target *t, u64 root)
{
    struct owner_shard shards[OWNER_SHARDS];
    struct root head;
    *o = (struct owners){0};
    struct reader r = {o, t, 0};
    memset(shards, 0, sizeof shards);
    if (tables_root(t, root, &head) < 0 || head.owners == 0 ||
        target_read(t, head.owners, shards, sizeof shards) < 0)
        return 0;
    for (size_t i = 0; r.error == 0 && i < OWNER_SHARDS; i++)
        add_list(&r, shards[i].first);
    if (o->range_count > 1)
        qsort(o->range, o->range_count, sizeof *o->range, by_start);
    if (r.error < 0)
        owners_done(o);
    return r.error;
}

void owners_done(struct owners *o)
{
    free(o->owned);
    free(o->range);
    *o = (struct owners){0};
}

const struct owned *owners_find(const struct owners *o, u64 at, u64 *ret_offset)
{
    size_t low = 0, high = o->range_count; // the first that starts behind `at`
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (o->range[mid].start <= at)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0 || at >= o->range[low - 1].end)
        return NULL;
    const struct owned *x = &o->owned[o->range[low - 1].owner];
    u64 offset = at - o->range[low - 1].start;
    *ret_offset = x->object != 0 ? offset % x->object : offset;
    return x;
}
