// E3 coro: a switch that the kernel knows nothing of.

#include "lab/lab.h"

#include <loam/task.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <ucontext.h>

static void yielder(void *of)
{
    for (u64 i = 0; i < *(const u64 *)of; i++)
        loam_task_yield();
}

static void two_tasks(void *of)
{
    if (loam_go("other", yielder, of, NULL) != 0)
        die("lab: no task could be started", NULL);
    yielder(of);
}

static void tasks(void *of, u64 rounds)
{
    (void)of;
    if (loam_task_run(NULL, two_tasks, &rounds) != 0)
        die("lab: tasks do not run", NULL);
}

// libc's own coroutines, which save the signal mask: a system call each time.
static ucontext_t main_context, other_context;
static _Alignas(16) char other_stack[65536];

static void other_body(void)
{
    for (;;)
        swapcontext(&other_context, &main_context);
}

static void contexts(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++)
        swapcontext(&main_context, &other_context);
}

// The kernel's way: a thread that gives its processor to another one.
static atomic_bool stop;

static void *thread_body(void *of)
{
    while (!atomic_load_explicit(&stop, memory_order_relaxed))
        sched_yield();
    return of;
}

static void threads(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++)
        sched_yield();
}

static __attribute__((noinline)) void callee(u64 i)
{
    KEEP(i);
}

static void calls(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++)
        callee(i);
}

static void run(struct lab *l)
{
    pthread_t t;
    getcontext(&other_context);
    other_context.uc_stack.ss_sp = other_stack;
    other_context.uc_stack.ss_size = sizeof other_stack;
    makecontext(&other_context, other_body, 0);
    struct arm arms[] = {
        {"call_ns", .run = calls},
        {"task_switch_ns", .run = tasks, .ops = 2, .rounds = 8000}, // a run's start is in it
        {"ucontext_switch_ns", .run = contexts, .ops = 2},
    };
    struct arm kernel = {"thread_yield_ns", .run = threads, .ops = 2, .gives_way = true};
    lab_time(l, arms, countof(arms));
    if (pthread_create(&t, NULL, thread_body, NULL) != 0) {
        lab_cannot(l, NULL, "no thread could be started");
        return;
    }
    lab_time(l, &kernel, 1);
    atomic_store(&stop, true);
    pthread_join(t, NULL);
    lab_ratio(l, "kernel_over_task", &kernel, &arms[1]);
}

static const struct claim claims[] = {
    {S3, "topic 6", "a cooperative switch", "pennies", "task_switch_ns", 0, 100, "ns"},
    {S3, "topic 6", "against a switch by the kernel", "pennies", "kernel_over_task", 10, INFINITY,
     "x"},
};

LAB_EXPERIMENT(E3) = {
    .question = "What does it cost to change stacks without asking the kernel?",
    .prediction = "Little more than a function call: a few registers are saved and others loaded.",
    .method = "Two of loam's tasks yield to each other; two of libc's contexts swap; two threads "
              "on one processor yield, where a round is a switch there and one back. A call of an "
              "empty function is the floor.",
    .look = "The task's switch is in the tens of nanoseconds at most. libc's contexts save the "
            "signal mask, which is a system call each time, and the kernel's scheduler looks for "
            "somebody better first.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
