// task_run.c: a run of tasks from its first to its last, and the bad days: a stack that overflows,
// a fork, a thread that ends under its tasks.
#include "os/fault.h"
#include "own/fault.h"
#include "own/tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
    struct lock lock;   // of all below
    struct run *first;  // every run
    bool prepared;      // the key and the fork handler are there
    pthread_key_t ends; // its destructor sees threads that end
} the;

// ---------------------------------------------------------------- bad days

// In the handler of SIGSEGV, on a stack of its own.
void tasks_fault(const void *at)
{
    struct worker *w = worker_self();
    u32 i;
    if (w == NULL || w->current == NULL || !stacks_in_guard(&w->run->stacks, at, &i))
        return;
    const char *name = w->run->task[i].name;
    char size[20];
    size_t n = decimal(size, stacks_size(&w->run->stacks));
    struct iovec line[] = {
        {(void *)"loam: task '", 12},
        {(void *)name, strlen(name)},
        {(void *)"' overflowed its stack of ", 26},
        {size, n},
        {(void *)" bytes\n", 7},
    };
    if (writev(STDERR_FILENO, line, countof(line)) < 0) {
        // Nobody reads stderr; the signal still tells.
    }
    abort();
}

// The child has one thread, and that goes on alone: as the task that forked, or as nobody.
static void in_child(void)
{
    worker_set_self(NULL);
    lock_break(&the.lock); // its holder did not come
    the.first = NULL;
    if (the.prepared)
        pthread_setspecific(the.ends, NULL);
    fault_forked();
}

static void thread_ended(void *worker)
{
    struct worker *w = worker;
    die("pthread_exit: the thread still runs tasks; called in the task at stack",
        w->current != NULL ? w->current->at.low : NULL);
}

static int prepare(void)
{
    if (the.prepared)
        return 0;
    int e = pthread_key_create(&the.ends, thread_ended);
    if (e == 0 && (e = pthread_atfork(NULL, NULL, in_child)) != 0)
        pthread_key_delete(the.ends);
    the.prepared = e == 0;
    return e == 0 ? 0 : -ENOMEM;
}

// ---------------------------------------------------------------- making a run

static size_t align64(size_t n)
{
    return round_up(n, 64);
}

static struct run *run_new(u32 workers, u32 tasks, size_t stack_size)
{
    struct stacks stacks;
    if (stacks_reserve(&stacks, tasks, stack_size) < 0)
        return NULL;
    size_t head = align64(sizeof(struct run) + workers * sizeof(struct worker));
    size_t handlers = workers * HANDLER_STACK;
    size_t table = align64(stacks.max * sizeof(struct task));
    size_t bytes = head + handlers + table + stacks.max * sizeof(u32);
    char *at = stack_table(bytes);
    if (at == NULL) {
        stacks_release(&stacks);
        return NULL;
    }
    struct run *r = (struct run *)at;
    r->bytes = bytes;
    r->stacks = stacks;
    r->shared = workers > 1;
    r->workers_count = workers;
    r->free = TASK_NONE;
    r->helpers.last = &r->helpers.first;
    r->task = (struct task *)(at + head + handlers);
    r->timers = (u32 *)(at + head + handlers + table);
    for (u32 i = 0; i < workers; i++) {
        struct worker *w = &r->worker[i];
        w->run = r;
        w->ready.head = w->ready.tail = TASK_NONE;
        w->fault_stack = at + head + i * HANDLER_STACK;
    }
    return r;
}

static void run_free(struct run *r)
{
    assert(r->jobs == 0);
    for (u32 i = 0; i < r->used; i++)
        context_stack_gone(r->task[i].valgrind, stacks_low(&r->stacks, i), stacks_size(&r->stacks));
    struct stacks stacks = r->stacks;
    stack_table_free(r, r->bytes);
    stacks_release(&stacks);
}

static void run_list(struct run *r)
{
    r->next = the.first;
    the.first = r;
}

static void run_unlist(struct run *r)
{
    struct run **at = &the.first;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
}

static int run_enter(struct run *r)
{
    lock_take(&the.lock);
    int e = prepare();
    if (e == 0)
        e = fault_watch(own_fault);
    if (e == 0)
        run_list(r);
    lock_give(&the.lock);
    if (e == 0)
        run_own(r);
    return e;
}

static void run_exit(struct run *r)
{
    run_disown(r);
    lock_take(&the.lock);
    run_unlist(r);
    fault_unwatch();
    lock_give(&the.lock);
}

// ---------------------------------------------------------------- workers

static void work(struct worker *w)
{
    w->has_fault_stack = fault_stack(w->fault_stack, HANDLER_STACK);
    pthread_setspecific(the.ends, w);
    worker_loop(w);
    pthread_setspecific(the.ends, NULL);
    if (w->has_fault_stack)
        fault_stack_end(w->fault_stack);
}

static void *work_thread(void *worker)
{
    work(worker);
    return NULL;
}

// Start the other workers, which the lock keeps out until all are there: if one cannot be had,
// nothing has run. Then run tasks in this thread, and wait for the others.
static int run_all(struct run *r)
{
    int e = 0;
    u32 started = 1;
    run_lock(r);
    while (e == 0 && started < r->workers_count) {
        e = thread_start(&r->worker[started].thread, work_thread, &r->worker[started]);
        started += e == 0;
    }
    r->over = e != 0;
    run_unlock(r);
    if (e == 0)
        work(&r->worker[0]);
    else
        context_unmake(&r->task[0].at);
    for (u32 i = 1; i < started; i++)
        pthread_join(r->worker[i].thread, NULL);
    helpers_end(r);
    return e;
}

static int run_first(struct run *r, void (*fn)(void *arg), void *arg)
{
    worker_set_self(&r->worker[0]);
    int e = loam_go("first", fn, arg, NULL);
    worker_set_self(NULL);
    return e == 0 ? run_all(r) : e;
}

int loam_task_run(const loam_task_options *options, void (*fn)(void *arg), void *arg)
{
    const loam_task_options o = options != NULL ? *options : (loam_task_options){0};
    if (worker_self() != NULL)
        return -EBUSY;
    if (o.workers > WORKERS_MAX)
        return -EINVAL;
    struct run *r = run_new(o.workers != 0 ? o.workers : 1, o.tasks != 0 ? o.tasks : TASKS_DEFAULT,
                            o.stack_size != 0 ? o.stack_size : STACK_DEFAULT);
    if (r == NULL)
        return -ENOMEM;
    int e = run_enter(r);
    if (e == 0) {
        e = run_first(r, fn, arg);
        run_exit(r);
    }
    run_free(r);
    return e;
}

static const char *stack_top(const struct run *r, u32 i)
{
    return stacks_low(&r->stacks, i) + stacks_size(&r->stacks);
}

const char *tasks_stack_end(const void *sp)
{
    for (struct run *r = the.first; r != NULL; r = r->next) {
        size_t at = (uintptr_t)sp - (uintptr_t)r->stacks.base;
        if (at < r->stacks.max * r->stacks.slot)
            return stack_top(r, (u32)(at / r->stacks.slot));
    }
    return NULL;
}

// Not only parked ones: a thread that stands in the middle of a switch has one task whose state is
// RUNNING already, or still, on whose stack it is not. What lies above a stale `sp` does no harm.
void tasks_each_root(void (*see)(void *ctx, const void *from, const void *to),
                     void (*see_loop)(void *ctx, const void *sp, const void *tp), void *ctx)
{
    for (struct run *r = the.first; r != NULL; r = r->next) {
        for (u32 i = 0; i < r->used; i++) {
            const struct task *t = &r->task[i];
            const char *sp = t->at.sp, *low = stacks_low(&r->stacks, i);
            if (state_of(t) == TASK_FREE || state_of(t) == TASK_ENDED)
                continue;
            see(ctx, &t->arg, &t->arg + 1);
            if (sp >= low && sp < stack_top(r, i))
                see(ctx, sp, stack_top(r, i));
        }
        for (u32 i = 0; i < r->workers_count; i++)
            if (r->worker[i].loop.sp != NULL)
                see_loop(ctx, r->worker[i].loop.sp, r->worker[i].thread_pointer);
    }
}

void tasks_each_parked(void (*see)(void *ctx, const void *from, const void *to), void *ctx)
{
    for (struct run *r = the.first; r != NULL; r = r->next)
        for (u32 i = 0; i < r->used; i++) {
            const struct task *t = &r->task[i];
            bool parked = state_of(t) == TASK_READY || state_of(t) == TASK_WAITING; // T2
            if (parked && t->at.sp != NULL)                                         // T8
                see(ctx, t->at.sp, stacks_low(&r->stacks, i) + stacks_size(&r->stacks));
        }
}
