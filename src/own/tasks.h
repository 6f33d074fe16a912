// tasks.h: the data model of tasks: runs, workers, what waits for what, and what must be true.
//
// A run has a table of tasks, task i on stack i, and one worker per thread. Each worker has a queue
// of tasks that are ready; who has none steals from the others. Everything that waits, and every
// channel, is under one lock of the run; the queues have locks of their own, below it. With one
// worker nothing is locked, because only its thread ever comes here: what helper threads finish
// comes back through `inbox`.
//
//                +--- pop ---- RUNNING ---- yield ---+
//     FREE -> READY <--------------------------------+       ENDED -> FREE   (joined, or detached)
//                ^                 | wait                      ^
//                +----- wake --- WAITING       RUNNING - end --+
//
// A task that leaves its stack must have left it before others may take it up. So whoever goes on
// next, on whichever stack, finishes what the last one began (task_arrive): puts it into the queue,
// gives the lock back, or buries it.
//
// T1  a task is in exactly one queue iff READY, and in none otherwise.
// T2  WAITING: at.sp is its saved stack pointer; all it needs lies above (a scanner reads this).
// T3  every waiter of a WAITING task is in its channel's list, and none of another task's is.
// T4  timer != 0 iff timers[timer - 1] is the task: the deadline counts. Then it is WAITING.
// T5  live counts tasks neither FREE nor ENDED; a run is over when it is 0.
// T6  idle counts workers that found nothing under the lock. idle == workers under the lock: every
//     queue is empty, because only a worker that is not idle, or holds the lock, fills one.
// T7  who holds the run's lock may take a queue's, never the other way round.
// T8  READY and at.sp == NULL: the task has not begun, and nobody has touched its stack for it yet:
//     the first page of a stack costs more than all the rest of a start (task_stack).
#pragma once

#include "os/context.h"
#include "os/os.h"
#include "os/stack.h"
#include "os/thread.h"

#include <loam/owner.h>
#include <loam/task.h>

#define TASK_NONE      UINT32_MAX
#define WORKERS_MAX    64
#define HELPERS_MAX    64
#define TASKS_DEFAULT  65536
#define STACK_DEFAULT  (64 * KiB * (under_asan ? 4 : 1)) // its frames are larger
#define HANDLER_STACK  (32 * KiB)                        // more than the registers of any processor
#define TICKS_TO_CLOCK 32 // a busy worker looks at the clock at every so many calls

enum task_state { TASK_FREE = 0, TASK_READY, TASK_RUNNING, TASK_WAITING, TASK_ENDED };

// Lies on the stack of the task that waits.
struct waiter {
    struct waiter *next, *prev; // in the list of the channel, circular
    struct task *task;
    void *item;
    int number; // of the case
};

struct task {
    struct context at;
    void (*fn)(void *arg);
    void *arg;
    _Atomic(const char *) name; // also read by those that look for an owner
    struct waiter *waiters;     // T3
    u64 deadline;
    u32 waiters_count;
    u32 next;               // in a queue, or of free tasks
    u32 timer;              // T4
    u32 generation;         // grows when the slot becomes free, so that handles go stale
    u32 joiner;             // the task that waits for this one, or TASK_NONE
    u32 joining;            // the task that this one waits for, or TASK_NONE
    int result;             // of the wait
    int status;             // of the case that happened
    _Atomic u8 state;       // enum task_state; to and from WAITING only under the run's lock
    _Atomic bool cancelled; // never cleared while the task lives
    bool detached;
    bool blocked;      // waits for a helper thread
    unsigned valgrind; // id of the stack
};

// Relaxed: the locks order what hangs on it.
static inline u8 state_of(const struct task *t)
{
    return atomic_load_explicit(&t->state, memory_order_relaxed);
}
static inline void set_state(struct task *t, enum task_state state)
{
    atomic_store_explicit(&t->state, (u8)state, memory_order_relaxed);
}
static inline bool is_cancelled(const struct task *t)
{
    return atomic_load_explicit(&t->cancelled, memory_order_relaxed);
}

struct queue {
    struct lock lock;
    u32 head, tail; // TASK_NONE: empty
};

// What the next code on this worker has to finish for the task that left.
enum after { AFTER_NOTHING = 0, AFTER_YIELD, AFTER_WAIT, AFTER_END };

struct worker {
    struct run *run;
    struct task *current; // who runs here; NULL: the worker's own loop
    struct task *left;    // who left last
    enum after after;
    u32 ticks;
    struct queue ready aligned_(64);
    struct context loop; // the thread's own stack
    const void *thread_pointer;
    pthread_t thread;
    bool has_fault_stack;
    char *fault_stack;
};

// A call handed to a helper thread; lies on the stack of the task that waits for it.
struct job {
    struct job *next;
    struct task *task;
    void (*fn)(void *arg);
    void *arg;
};

struct helpers {
    struct lock lock;
    struct job *first, **last; // jobs that nobody has begun
    u32 waiting;               // jobs in that list
    u32 idle, count;
    bool quit;
    _Atomic u32 signal;
    pthread_t thread[HELPERS_MAX];
};

struct run {
    struct lock lock;
    bool shared; // several workers: locks are needed
    bool over;
    u32 workers_count, jobs; // jobs: calls out with helpers
    _Atomic u32 live;        // T5; written under the lock
    u32 free, used;          // free tasks; tasks that were ever used
    u32 timers_count, turn;
    _Atomic u32 idle;   // T6; written under the lock
    _Atomic u32 signal; // changes when there may be something for an idle worker
    _Atomic(struct job *) inbox;
    struct task *task; // [stacks.max]
    u32 *timers;       // heap of tasks by deadline, T4
    struct stacks stacks;
    struct helpers helpers;
    struct run *next; // all runs of the process
    loam_owner_link owner;
    u32 found; // between `find` and `describe` of the owner
    size_t bytes;
    struct worker worker[];
};

// ---- task_sched.c: queues, clock, workers
struct worker *worker_self(void); // NULL when the caller is no task
void worker_set_self(struct worker *w);
void run_lock(struct run *r);
bool run_locked(struct run *r); // by this thread, or there is only one; for asserts
void run_unlock(struct run *r);
u32 task_index(const struct run *r, const struct task *t);
// End the wait of a WAITING task. The run's lock is held.
void task_wake(struct worker *w, struct task *t, int result);
// A ready task to this worker's queue; tells an idle worker.
void task_ready(struct worker *w, struct task *t);
// Leave the calling task's stack; returns when it runs again. With AFTER_WAIT the run's lock is
// held, and given back for the caller.
void task_leave(struct worker *w, enum after after);
// Wait until woken, or until `deadline` (PARK_FOREVER: none), with the run's lock held; it is given
// back. The result of the wait; -ETIMEDOUT at the deadline.
int task_wait(struct worker *w, u64 deadline);
// Every so many calls: who slept long enough, and what helpers have finished.
void task_tick(struct worker *w);
// The first code of every task.
void task_entry(void);
// now + ns, without overflow
u64 deadline_after(u64 ns);
// Run tasks on the calling thread until the run is over.
void worker_loop(struct worker *w);

// ---- task_run.c
// In the handler of a fault: ends the program if a task overflowed its stack.
void tasks_fault(const void *at);
// Calls `see` for each task that is parked, with the living part of its stack. For collectors and
// leak scans: nobody else may run meanwhile.
void tasks_each_parked(void (*see)(void *ctx, const void *from, const void *to), void *ctx);

// The same for a collector: the stack of each task that lives, its argument, and where each worker
// left its own stack (with its thread pointer) to run a task. Also true in the middle of a switch.
void tasks_each_root(void (*see)(void *ctx, const void *from, const void *to),
                     void (*see_loop)(void *ctx, const void *sp, const void *tp), void *ctx);
// Where the task's stack ends that sp lies in; NULL when it lies in none.
const char *tasks_stack_end(const void *sp);

// ---- task.c
// The slot of an ended task is free again. Lock held.
void task_bury(struct run *r, struct task *t);

// ---- task_block.c
void helpers_end(struct run *r);
void jobs_collect(struct worker *w); // lock held

// ---- task_owner.c
void run_own(struct run *r);
void run_disown(struct run *r);
