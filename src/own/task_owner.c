// task_owner.c: stacks of tasks in the registry of owners, so that an address in one resolves to
// its task. A run is one owner: tasks come and go too fast to register each.
#include "own/tasks.h"

#include "heap/owner.h"

static struct run *run_of(const loam_owner_link *link)
{
    return container_of(link, struct run, owner);
}

// The registry's lock is held from here to `describe`, so what was found can be left for it.
static bool find(const loam_owner_link *link, const void *p, size_t *ret_offset)
{
    struct run *r = run_of(link);
    const struct stacks *s = &r->stacks;
    size_t at = (uintptr_t)p - (uintptr_t)s->base;
    if (at >= s->max * s->slot || at % s->slot < s->guard)
        return false;
    u32 i = (u32)(at / s->slot);
    if (state_of(&r->task[i]) == TASK_FREE)
        return false;
    r->found = i;
    *ret_offset = at % s->slot - s->guard;
    return true;
}

static void describe(const loam_owner_link *link, loam_owner_info *ret)
{
    struct run *r = run_of(link);
    u32 i = r->found;
    r->found = TASK_NONE;
    if (i != TASK_NONE) {
        ret->kind = "task";
        ret->name = atomic_load_explicit(&r->task[i].name, memory_order_relaxed);
        ret->place = "";
        ret->held = ret->used = stacks_size(&r->stacks);
        ret->used_max = stacks_touched(&r->stacks, i);
    } else {
        ret->name = "run";
        ret->place = "";
        ret->held = atomic_load_explicit(&r->live, memory_order_relaxed) * stacks_size(&r->stacks);
        ret->used = ret->held;
    }
}

static const struct loam_owner_ops ops = {.kind = "tasks", .describe = describe, .find = find};

void run_own(struct run *r)
{
    r->found = TASK_NONE;
    owner_add(&r->owner, &ops);
}

#define LOOKED_AT 4096u // stacks whose depth is asked of the kernel, at half a microsecond each

// How deep tasks of one name ever stood; of a stack that had several, the last one.
static void note_depths(const struct run *r)
{
    for (u32 i = 0; i < r->used && i < LOOKED_AT; i++) {
        loam_owner_info o = {.kind = "task", .place = ""};
        o.name = atomic_load_explicit(&r->task[i].name, memory_order_relaxed);
        o.used_max = stacks_touched(&r->stacks, i);
        owner_note(&o);
    }
}

void run_disown(struct run *r)
{
    if (owner_watching())
        note_depths(r);
    owner_remove(&r->owner);
}
