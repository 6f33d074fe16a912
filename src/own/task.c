// task.c: start, yield, sleep, join, cancel: what a task asks of its run.
#include "own/tasks.h"

#include <errno.h>

static loam_task handle(const struct run *r, const struct task *t)
{
    return (loam_task){task_index(r, t), t->generation};
}

// The task that a handle means, or NULL. Lock held.
static struct task *find(struct run *r, loam_task h)
{
    if (h.index >= r->used)
        return NULL;
    struct task *t = &r->task[h.index];
    return state_of(t) != TASK_FREE && t->generation == h.generation ? t : NULL;
}

// A slot with a stack, or NULL. Lock held.
static struct task *task_new(struct run *r)
{
    struct task *t;
    assert(run_locked(r));
    if (r->free != TASK_NONE) {
        t = &r->task[r->free];
        assert(state_of(t) == TASK_FREE);
        r->free = t->next;
        return t;
    }
    if (r->used == r->stacks.max || stacks_prepare(&r->stacks, r->used) < 0)
        return NULL;
    t = &r->task[r->used];
    t->generation = 1; // 0 is no task's
    t->valgrind = context_stack_known(stacks_low(&r->stacks, r->used), stacks_size(&r->stacks));
    r->used++;
    return t;
}

static void task_free(struct run *r, struct task *t)
{
    assert(state_of(t) == TASK_ENDED);
    set_state(t, TASK_FREE);
    t->generation = t->generation == UINT32_MAX ? 1 : t->generation + 1;
    t->next = r->free; // the last one first: its stack is warm
    r->free = task_index(r, t);
}

// Who waits in join frees the slot itself, when it has seen that its handle still fits.
void task_bury(struct run *r, struct task *t)
{
    u32 joiner = t->joiner;
    assert(run_locked(r));
    assert(t->timer == 0); // T4
    assert(t->waiters_count == 0);
    assert(t->joining == TASK_NONE);
    set_state(t, TASK_ENDED);
    if (joiner != TASK_NONE)
        task_wake(worker_self(), &r->task[joiner], 0);
    if (joiner != TASK_NONE || t->detached)
        task_free(r, t);
}

int loam_go(const char *name, void (*fn)(void *arg), void *arg, loam_task *ret_task)
{
    struct worker *w = worker_self();
    if (w == NULL)
        return -EPERM;
    struct run *r = w->run;
    run_lock(r);
    struct task *t = task_new(r);
    if (t != NULL) {
        t->at = (struct context){0}; // T8
        t->fn = fn;
        t->arg = arg;
        atomic_store_explicit(&t->name, name != NULL ? name : "task", memory_order_relaxed);
        t->joiner = t->joining = TASK_NONE;
        t->detached = ret_task == NULL;
        t->blocked = false;
        atomic_store_explicit(&t->cancelled, false, memory_order_relaxed);
        atomic_fetch_add_explicit(&r->live, 1, memory_order_relaxed);
        if (ret_task != NULL)
            *ret_task = handle(r, t);
        task_ready(w, t);
    }
    run_unlock(r);
    return t != NULL ? 0 : -ENOMEM;
}

int loam_task_yield(void)
{
    struct worker *w = worker_self();
    if (w == NULL)
        return -EPERM;
    struct task *t = w->current;
    task_tick(w);
    task_leave(w, AFTER_YIELD);
    return is_cancelled(t) ? -ECANCELED : 0;
}

int loam_task_sleep(uint64_t ns)
{
    int r = loam_select(NULL, 0, ns);
    return r == -ETIMEDOUT ? 0 : r;
}

static int join_refused(const struct task *t, const struct task *self)
{
    if (t == NULL)
        return -ESRCH;
    if (t == self)
        return -EDEADLK;
    if (t->detached || t->joiner != TASK_NONE)
        return -EINVAL;
    return is_cancelled(self) ? -ECANCELED : 0;
}

int loam_task_join(loam_task h)
{
    struct worker *w = worker_self();
    if (w == NULL)
        return -EPERM;
    struct run *r = w->run;
    task_tick(w);
    run_lock(r);
    struct task *t = find(r, h);
    int e = join_refused(t, w->current);
    if (e < 0 || state_of(t) == TASK_ENDED) {
        if (e == 0)
            task_free(r, t);
        run_unlock(r);
        return e;
    }
    t->joiner = task_index(r, w->current);
    w->current->joining = h.index;
    return task_wait(w, PARK_FOREVER);
}

int loam_task_cancel(loam_task h)
{
    struct worker *w = worker_self();
    if (w == NULL)
        return -EPERM;
    struct run *r = w->run;
    run_lock(r);
    struct task *t = find(r, h);
    if (t != NULL) {
        atomic_store_explicit(&t->cancelled, true, memory_order_relaxed);
        if (state_of(t) == TASK_WAITING && !t->blocked)
            task_wake(w, t, -ECANCELED);
    }
    run_unlock(r);
    return t != NULL ? 0 : -ESRCH;
}

loam_task loam_task_self(void)
{
    struct worker *w = worker_self();
    return w != NULL ? handle(w->run, w->current) : (loam_task){0, 0};
}

const char *loam_task_name(void)
{
    struct worker *w = worker_self();
    return w != NULL ? w->current->name : NULL;
}

size_t loam_task_stack_used(void)
{
    struct worker *w = worker_self();
    return w != NULL ? stacks_touched(&w->run->stacks, task_index(w->run, w->current)) : 0;
}
