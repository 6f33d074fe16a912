// task.h: tasks: code that waits without holding a thread.
//
// A task is a function with a stack of its own. Tasks take turns: one runs until it waits (for a
// channel, another task, a while) or yields, and the next goes on. A task costs a few KiB and under
// a microsecond, so a program can have 100,000 and write each as a straight line. Not for work that
// only computes: nothing takes the processor away from a task.
//
//     void serve(void *arg);                      // it may start others: loam_go, loam_task_join
//     int r = loam_task_run(NULL, serve, NULL);   // returns when every task has ended
//
// Channels (below) carry values between tasks. With `workers` over 1 the tasks of a run are shared
// among that many threads; whatever two tasks both touch then needs a channel or a lock.
//
// Results are 0 or a negative errno. Any call that waits may return one of these three:
//  -ECANCELED: the task was cancelled (loam_task_cancel), now or earlier;
//  -EDEADLK: every task waits and nothing is left that could wake one of them;
//  -EPERM: the caller is no task.
//
// What a task may not count on: errno and thread-local variables after a call that waits. They
// belong to the thread, and another task ran meanwhile; with several workers the task may go on in
// another thread, so no pthread mutex may be held across such a call. Rounding modes of floating
// point are the thread's too. Nothing here may be called from signal handlers.
//
// Defined ends of misuse:
//  Stack overflow: one line with the task's name and its stack's size, then abort. While a run is
//  on, loam's handler of SIGSEGV stands before the program's, and passes on every other fault. A
//  frame of more than 16 KiB can step over the guard, unless its code is compiled with
//  -fstack-clash-protection.
//  fork in a task: the child has no other tasks. The caller goes on alone, every call here gives
//  -EPERM, and when the task's function returns the child exits with status 0.
//  pthread_exit in a task: one line, then abort.
//  join twice: -ESRCH, also with a handle whose task is long gone.
//  longjmp out of a task, a C++ exception that leaves its function, a call that waits inside a
//  catch block (what is caught belongs to the thread): undefined.
#ifndef LOAM_TASK_H
#define LOAM_TASK_H

#include <loam/attr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

LOAM_BEGIN_C

// A handle, passed by value. {0, 0} is no task. A handle goes stale safely: whoever uses it after
// the task was joined gets -ESRCH.
typedef struct loam_task {
    uint32_t index, generation;
} loam_task;

typedef struct loam_task_options {
    unsigned workers;  // threads that run tasks, the caller's among them; 0 = 1, at most 64
    unsigned tasks;    // most tasks at once; 0 = 65,536. Only addresses are reserved for them, for
                       // fewer where so many are not to be had
    size_t stack_size; // bytes for each stack, rounded up to OS pages; 0 = 64 KiB
} loam_task_options;

// Run `fn(arg)` as the first task, and all tasks that it starts, and those that they start. Returns
// 0 when the last one has ended. `options` NULL: one worker, the calling thread. Several threads
// may each have a run of their own. Otherwise nothing has run: -ENOMEM (also when a thread cannot
// be had: -EAGAIN), -EINVAL (workers over 64), -EBUSY (the caller is itself a task).
LOAM_API LOAM_NODISCARD int loam_task_run(const loam_task_options *options, void (*fn)(void *arg),
                                          void *arg) LOAM_NONNULL(2);

// Start a task. It is `ready`: it begins when a worker gets to it, not here. `name` is kept by
// reference (a string literal as a rule; NULL reads as "task"). With ret_task NULL nobody will join
// it; otherwise its stack is kept until somebody has. 0, -ENOMEM (also: too many tasks), -EPERM.
LOAM_API LOAM_NODISCARD int loam_go(const char *name, void (*fn)(void *arg), void *arg,
                                    loam_task *ret_task) LOAM_NONNULL(2);

// Let the others have a turn. Costs a few nanoseconds. 0, -ECANCELED or -EPERM.
LOAM_API int loam_task_yield(void);
// Wait for so many nanoseconds, at least.
LOAM_API int loam_task_sleep(uint64_t ns);
// Wait until `t` has ended. The handle is stale afterwards. Besides the three above: -ESRCH (no
// such task), -EINVAL (another task already waits for it, or it was started with ret_task NULL),
// -EDEADLK (it is the caller). If the wait fails, the task can still be joined.
LOAM_API int loam_task_join(loam_task t);
// Ask a task to end: the call in which it waits, and every later one, returns -ECANCELED. It then
// cleans up and returns, or it does not; nothing is taken away from it. 0, -ESRCH or -EPERM.
LOAM_API int loam_task_cancel(loam_task t);
// Run a call that blocks its thread (a read, getaddrinfo) in a helper thread while other tasks go
// on; returns when `fn` has. A cancelled task waits for it all the same. Cost: two switches of
// threads, some 10 us. 0, -EAGAIN (no thread to be had, fn did not run), -ECANCELED (the task was
// cancelled before, fn did not run), -EPERM.
LOAM_API int loam_task_block(void (*fn)(void *arg), void *arg) LOAM_NONNULL(1);

// The calling task; {0, 0} when the caller is none.
LOAM_API loam_task loam_task_self(void);
// The calling task's name; NULL when the caller is none.
LOAM_API const char *loam_task_name(void);
// Bytes of stack that the calling task, or an earlier one on the same stack, ever touched, rounded
// up to an OS page. 0 when the caller is no task. Cost: a system call.
LOAM_API size_t loam_task_stack_used(void);

// ---------------------------------------------------------------- channels

// A channel carries items of one size, in order, from tasks that send to tasks that receive. Its
// buffer has `capacity` items; with capacity 0 a sender waits until its item was taken. It belongs
// to the run in which it was made; tasks of that run share it freely.
//
//     loam_chan *c = loam_chan_new(sizeof(int), 16);
//     loam_chan_send(c, &(int){1});          // in one task
//     while (loam_chan_recv(c, &n) == 0)     // in another: until it is closed and empty
//         printf("%d\n", n);
//
// Items are copied, and not looked at: what they point to changes hands by your own agreement.
typedef struct loam_chan loam_chan;

// Give a channel back, with the items in it. NULL is allowed. Ends the program with one line when a
// task waits in it. Returns NULL.
LOAM_API LOAM_TAKES(1) loam_chan *loam_chan_free(loam_chan *c);
// NULL with errno ENOMEM (also: a size that overflows) or EPERM (the caller is no task). item_size
// 0 is allowed: a signal without a value.
LOAM_API LOAM_MALLOC(loam_chan_free,
                     1) LOAM_GIVES LOAM_NODISCARD loam_chan *loam_chan_new(size_t item_size,
                                                                           size_t capacity);

// Wait until there is room, and copy an item in. 0; -EPIPE, nothing sent, when the channel is
// closed, or gets closed meanwhile; or one of the three.
LOAM_API int loam_chan_send(loam_chan *c, const void *item) LOAM_NONNULL(1);
// Wait until there is an item, and copy it out. 0; -EPIPE, nothing written, when the channel is
// closed and empty; or one of the three.
LOAM_API int loam_chan_recv(loam_chan *c, void *ret_item) LOAM_NONNULL(1);
// No more will be sent. Who waits to send is told -EPIPE, who receives gets what is in the buffer
// first. 0; -EALREADY when it was closed before; -EPERM.
LOAM_API int loam_chan_close(loam_chan *c) LOAM_NONNULL(1);
// Items in the buffer now.
LOAM_API size_t loam_chan_count(loam_chan *c) LOAM_NONNULL(1);

typedef enum loam_case_kind { LOAM_RECV, LOAM_SEND } loam_case_kind;
typedef struct loam_case {
    loam_case_kind kind;
    loam_chan *chan; // NULL: this case never happens
    void *item;      // received into, or sent from
    int result;      // of the case that happened: 0 or -EPIPE
} loam_case;

#define LOAM_CASES_MAX 32
#define LOAM_FOREVER   UINT64_MAX

// Wait until one of n cases can happen, do that one alone, and return its number; its `result` says
// how it went. When several can, each has its turn. At most timeout_ns: 0 looks and does not wait,
// LOAM_FOREVER has no limit. n 0 only sleeps. -ETIMEDOUT, -EINVAL (n over LOAM_CASES_MAX, or a kind
// that is none), or one of the three.
LOAM_API int loam_select(loam_case *cases, size_t n, uint64_t timeout_ns);

LOAM_END_C

#endif
