// task_sched.c: who runs next.
//
// A task that leaves goes straight to the next one of its worker's queue, in one switch. Only when
// that queue is empty does the worker's own loop look further: at what helpers finished, at who
// slept long enough, at the other workers' queues. Then it sleeps on a futex.
#include "own/tasks.h"

#include <errno.h>
#include <stdlib.h>

static thread_local_ struct worker *self;

// Not inline, and opaque to the compiler: code that waits can go on in another thread, where an
// address of `self` that was kept in a register would be that of the thread before.
noinline_ struct worker *worker_self(void)
{
    compiler_barrier();
    return self;
}

noinline_ void worker_set_self(struct worker *w)
{
    compiler_barrier();
    self = w;
}

void run_lock(struct run *r)
{
    if (r->shared)
        lock_take(&r->lock);
}

bool run_locked(struct run *r)
{
    return !r->shared || lock_held(&r->lock);
}

void run_unlock(struct run *r)
{
    assert(run_locked(r));
    if (r->shared)
        lock_give(&r->lock);
}

u32 task_index(const struct run *r, const struct task *t)
{
    return (u32)(t - r->task);
}

u64 deadline_after(u64 ns)
{
    u64 at;
    return __builtin_add_overflow(os_monotonic_ns(), ns, &at) ? PARK_FOREVER : at;
}

// ---------------------------------------------------------------- queues

static void queue_push(struct run *r, struct queue *q, struct task *t)
{
    u32 i = task_index(r, t);
    assert(i < r->stacks.max);
    t->next = TASK_NONE;
    if (r->shared)
        lock_take(&q->lock);
    assert((q->head == TASK_NONE) == (q->tail == TASK_NONE)); // T1
    if (q->tail == TASK_NONE)
        q->head = i;
    else
        r->task[q->tail].next = i;
    q->tail = i;
    if (r->shared)
        lock_give(&q->lock);
}

static struct task *queue_pop(struct run *r, struct queue *q)
{
    if (r->shared)
        lock_take(&q->lock);
    struct task *t = q->head == TASK_NONE ? NULL : &r->task[q->head];
    if (t != NULL) {
        assert(state_of(t) == TASK_READY); // T1
        q->head = t->next;
        if (q->head == TASK_NONE)
            q->tail = TASK_NONE;
        set_state(t, TASK_RUNNING);
    }
    if (r->shared)
        lock_give(&q->lock);
    return t;
}

static bool someone_idle(struct run *r)
{
    return atomic_load_explicit(&r->idle, memory_order_relaxed) != 0;
}

static void alarm_workers(struct run *r, u32 n)
{
    atomic_fetch_add_explicit(&r->signal, 1, memory_order_release);
    unpark(&r->signal, n);
}

// Whoever goes idle raises `idle` before it looks into the queues, each under its lock. So either
// it sees this task, or the lock of this queue was taken here after it was given back there, and
// the load below sees the raised count. Relaxed is enough: the queue's lock orders it.
void task_ready(struct worker *w, struct task *t)
{
    struct run *r = w->run;
    set_state(t, TASK_READY);
    queue_push(r, &w->ready, t);
    if (r->shared && someone_idle(r))
        alarm_workers(r, 1);
}

// ---------------------------------------------------------------- deadlines: a binary heap

static void timer_put(struct run *r, u32 at, u32 task)
{
    r->timers[at] = task;
    r->task[task].timer = at + 1;
}

// Let `task` find its place, from position `at` on.
static void timer_settle(struct run *r, u32 at, u32 task)
{
    u64 deadline = r->task[task].deadline;
    while (at > 0 && r->task[r->timers[(at - 1) / 2]].deadline > deadline) {
        timer_put(r, at, r->timers[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        u32 child = 2 * at + 1;
        if (child + 1 < r->timers_count &&
            r->task[r->timers[child + 1]].deadline < r->task[r->timers[child]].deadline)
            child++;
        if (child >= r->timers_count || r->task[r->timers[child]].deadline >= deadline)
            break;
        timer_put(r, at, r->timers[child]);
        at = child;
    }
    timer_put(r, at, task);
}

static void timer_add(struct run *r, struct task *t, u64 deadline)
{
    assert(t->timer == 0); // T4
    assert(run_locked(r));
    assert(r->timers_count < r->stacks.max);
    t->deadline = deadline;
    timer_settle(r, r->timers_count++, task_index(r, t));
}

static void timer_remove(struct run *r, struct task *t)
{
    if (t->timer == 0)
        return;
    u32 at = t->timer - 1, last = r->timers[--r->timers_count];
    assert(r->timers[at] == task_index(r, t)); // T4
    t->timer = 0;
    if (at != r->timers_count)
        timer_settle(r, at, last);
}

static void timers_expire(struct worker *w)
{
    struct run *r = w->run;
    if (r->timers_count == 0)
        return;
    u64 now = os_monotonic_ns();
    while (r->timers_count != 0 && r->task[r->timers[0]].deadline <= now)
        task_wake(w, &r->task[r->timers[0]], -ETIMEDOUT);
}

// ---------------------------------------------------------------- waiting

void task_wake(struct worker *w, struct task *t, int result)
{
    assert(run_locked(w->run));
    assert(state_of(t) == TASK_WAITING);
    for (u32 i = 0; i < t->waiters_count; i++) { // T3
        assert(t->waiters[i].task == t);
        t->waiters[i].prev->next = t->waiters[i].next;
        t->waiters[i].next->prev = t->waiters[i].prev;
    }
    t->waiters_count = 0;
    if (t->joining != TASK_NONE)
        w->run->task[t->joining].joiner = TASK_NONE;
    t->joining = TASK_NONE;
    timer_remove(w->run, t);
    t->result = result;
    task_ready(w, t);
}

// Finish what the one that left began. A worker is asked for anew: this may be another thread than
// the one that the resumed task left.
static void task_arrive(void)
{
    struct worker *w = worker_self();
    struct task *left = w->left;
    enum after after = w->after;
    w->after = AFTER_NOTHING;
    switch (after) {
    case AFTER_NOTHING:
        break;
    case AFTER_YIELD:
        task_ready(w, left);
        break;
    case AFTER_WAIT:
        run_unlock(w->run);
        break;
    case AFTER_END:
        context_unmake(&left->at);
        task_bury(w->run, left);
        run_unlock(w->run);
        break;
    }
}

// Tops of stacks at the same distance from each other would share a few cache sets.
static size_t color(u32 index)
{
    return index % 16 * 64;
}

// T8
static cold_ void task_stack(const struct run *r, struct task *t)
{
    u32 i = task_index(r, t);
    context_make(&t->at, stacks_low(&r->stacks, i), stacks_size(&r->stacks) - color(i), task_entry);
}

noinline_ void task_leave(struct worker *w, enum after after)
{
    struct task *t = w->current;
    assert(t != NULL);
    assert(w->after == AFTER_NOTHING);
    w->left = t;
    w->after = after;
    w->current = queue_pop(w->run, &w->ready);
    if (w->current != NULL && unlikely(w->current->at.sp == NULL))
        task_stack(w->run, w->current);
    context_switch(&t->at, w->current != NULL ? &w->current->at : &w->loop, after == AFTER_END);
    task_arrive();
}

int task_wait(struct worker *w, u64 deadline)
{
    struct task *t = w->current;
    assert(run_locked(w->run));
    assert(state_of(t) == TASK_RUNNING);
    set_state(t, TASK_WAITING);
    if (deadline != PARK_FOREVER) {
        timer_add(w->run, t, deadline);
        if (t->timer == 1 && w->run->shared && someone_idle(w->run))
            alarm_workers(w->run, 1); // who sleeps until a later moment
    }
    task_leave(w, AFTER_WAIT);
    return t->result;
}

void task_tick(struct worker *w)
{
    struct run *r = w->run;
    if (likely(++w->ticks % TICKS_TO_CLOCK != 0))
        return;
    run_lock(r);
    timers_expire(w);
    jobs_collect(w);
    run_unlock(r);
}

void task_entry(void)
{
    context_arrived();
    task_arrive();
    struct task *t = worker_self()->current;
    assert(state_of(t) == TASK_RUNNING);
    t->fn(t->arg);
    struct worker *w = worker_self();
    if (w == NULL) // the child of a fork: there is nobody to go on with
        exit(0);
    run_lock(w->run);
    atomic_fetch_sub_explicit(&w->run->live, 1, memory_order_relaxed);
    task_leave(w, AFTER_END);
    __builtin_unreachable();
}

// ---------------------------------------------------------------- the worker's own loop

static struct task *steal(struct worker *w)
{
    struct run *r = w->run;
    u32 me = (u32)(w - r->worker);
    struct task *t = NULL;
    for (u32 i = 0; i < r->workers_count && t == NULL; i++)
        t = queue_pop(r, &r->worker[(me + i) % r->workers_count].ready);
    return t;
}

// Everybody waits, and for one another: tell all of them.
static void wake_deadlocked(struct worker *w)
{
    struct run *r = w->run;
    for (u32 i = 0; i < r->used; i++)
        if (state_of(&r->task[i]) == TASK_WAITING)
            task_wake(w, &r->task[i], -EDEADLK);
}

// With the lock held: a task to run; else NULL, and whether there is something to sleep for.
static struct task *search(struct worker *w, bool *ret_sleep)
{
    struct run *r = w->run;
    *ret_sleep = false;
    assert(run_locked(r));
    assert(w->current == NULL);
    assert(r->idle > 0); // T6
    if (r->over)
        return NULL;
    jobs_collect(w);
    timers_expire(w);
    struct task *t = steal(w);
    if (t != NULL)
        return t;
    if (atomic_load_explicit(&r->live, memory_order_relaxed) == 0) {
        r->over = true;
        alarm_workers(r, WORKERS_MAX);
    } else if (atomic_load_explicit(&r->idle, memory_order_relaxed) == r->workers_count &&
               r->timers_count == 0 && r->jobs == 0) {
        wake_deadlocked(w); // T6
    } else {
        *ret_sleep = true;
    }
    return NULL;
}

// A task to run, or NULL when the run is over. Sleeps in between.
static struct task *next_task(struct worker *w)
{
    struct run *r = w->run;
    struct task *t = queue_pop(r, &w->ready);
    while (t == NULL) {
        run_lock(r);
        atomic_fetch_add_explicit(&r->idle, 1, memory_order_relaxed);
        u32 signal = atomic_load_explicit(&r->signal, memory_order_acquire);
        bool sleep;
        t = search(w, &sleep);
        u64 deadline = r->timers_count != 0 ? r->task[r->timers[0]].deadline : PARK_FOREVER;
        bool over = r->over;
        if (sleep) {
            run_unlock(r);
            park(&r->signal, signal, deadline);
            run_lock(r);
        }
        atomic_fetch_sub_explicit(&r->idle, 1, memory_order_relaxed);
        run_unlock(r);
        if (over)
            break;
    }
    return t;
}

void worker_loop(struct worker *w)
{
    worker_set_self(w);
    context_adopt(&w->loop);
    w->thread_pointer = __builtin_thread_pointer();
    for (struct task *t; (t = next_task(w)) != NULL;) {
        w->current = t;
        if (t->at.sp == NULL)
            task_stack(w->run, t);
        context_switch(&w->loop, &t->at, false);
        task_arrive();
    }
    worker_set_self(NULL);
}
