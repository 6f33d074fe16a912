// task_block.c: calls that block a thread, made in threads that may.
//
// Helper threads start when a job finds none idle, and end with the run. What they finish goes back
// through a list that any worker empties: a helper touches nothing else of the run.
#include "own/tasks.h"

#include <errno.h>

static struct job *job_take(struct helpers *h)
{
    struct job *j = h->first;
    if (j != NULL) {
        h->first = j->next;
        if (h->first == NULL)
            h->last = &h->first;
        assert(h->waiting > 0);
        h->waiting--;
    }
    return j;
}

// A job to do, or NULL when the run is over.
static struct job *job_next(struct helpers *h)
{
    lock_take(&h->lock);
    struct job *j;
    while ((j = job_take(h)) == NULL && !h->quit) {
        h->idle++;
        u32 signal = atomic_load_explicit(&h->signal, memory_order_relaxed); // under the lock
        lock_give(&h->lock);
        park(&h->signal, signal, PARK_FOREVER);
        lock_take(&h->lock);
        h->idle--;
    }
    lock_give(&h->lock);
    return j;
}

static void *help(void *run)
{
    struct run *r = run;
    struct job *j;
    while ((j = job_next(&r->helpers)) != NULL) {
        j->fn(j->arg);
        struct job *first = atomic_load_explicit(&r->inbox, memory_order_relaxed);
        do
            j->next = first;
        // Release: pairs with the acquire in jobs_collect. After it the job is gone.
        while (!atomic_compare_exchange_weak_explicit(&r->inbox, &first, j, memory_order_release,
                                                      memory_order_relaxed));
        atomic_fetch_add_explicit(&r->signal, 1, memory_order_release);
        unpark(&r->signal, 1);
    }
    return NULL;
}

void jobs_collect(struct worker *w)
{
    struct run *r = w->run;
    if (atomic_load_explicit(&r->inbox, memory_order_relaxed) == NULL)
        return;
    struct job *j = atomic_exchange_explicit(&r->inbox, NULL, memory_order_acquire);
    while (j != NULL) {
        struct job *next = j->next;
        assert(r->jobs > 0);
        assert(j->task->blocked);
        r->jobs--;
        j->task->blocked = false;
        task_wake(w, j->task, 0);
        j = next;
    }
}

// One more helper if the idle ones will not do. With none at all there is nobody to do the job.
static int helper_start(struct run *r)
{
    struct helpers *h = &r->helpers;
    if (h->waiting < h->idle || h->count == HELPERS_MAX)
        return 0;
    int e = thread_start(&h->thread[h->count], help, r);
    h->count += e == 0;
    return h->count != 0 ? 0 : -EAGAIN;
}

static int job_submit(struct run *r, struct job *j)
{
    struct helpers *h = &r->helpers;
    lock_take(&h->lock);
    int e = helper_start(r);
    if (e == 0) {
        *h->last = j;
        h->last = &j->next;
        h->waiting++;
        atomic_fetch_add_explicit(&h->signal, 1, memory_order_relaxed);
    }
    lock_give(&h->lock);
    if (e == 0)
        unpark(&h->signal, 1);
    return e;
}

int loam_task_block(void (*fn)(void *arg), void *arg)
{
    struct worker *w = worker_self();
    if (w == NULL)
        return -EPERM;
    struct run *r = w->run;
    struct task *t = w->current;
    struct job j = {.task = t, .fn = fn, .arg = arg};
    run_lock(r);
    int e = is_cancelled(t) ? -ECANCELED : job_submit(r, &j);
    if (e < 0) {
        run_unlock(r);
        return e;
    }
    // A helper may be done with it already: it is collected under the lock, after the switch.
    t->blocked = true;
    r->jobs++;
    return task_wait(w, PARK_FOREVER);
}

void helpers_end(struct run *r)
{
    struct helpers *h = &r->helpers;
    lock_take(&h->lock);
    h->quit = true;
    atomic_fetch_add_explicit(&h->signal, 1, memory_order_relaxed);
    lock_give(&h->lock);
    unpark(&h->signal, HELPERS_MAX);
    for (u32 i = 0; i < h->count; i++)
        pthread_join(h->thread[i], NULL);
}
