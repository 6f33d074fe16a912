// E4 100k: a hundred thousand tasks.

#include "lab/lab.h"

#include <loam/task.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TASKS = 100000, STACK = 16384, NEED_EACH = 6144 };

static struct outcome {
    u32 wanted, started, ended;
    u64 rss_before, rss, tables;
    u64 create_ns, resume_ns;
    bool done;
} * to;
static bool stop;

static u64 status(const char *key)
{
    char line[256];
    u64 kib = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtoull(line + strlen(key), NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return kib * KiB;
}

// Every one of them is in the middle of a function, with its own variables, and waits.
static void waiter(void *of)
{
    (void)of;
    volatile u32 own = to->started++;
    while (!stop)
        loam_task_yield();
    KEEP(own);
    to->ended++;
}

static void first(void *of)
{
    (void)of;
    u64 start = clock_ns();
    for (u32 i = 0; i < to->wanted; i++) {
        if (loam_go("waiter", waiter, NULL, NULL) != 0)
            break;
    }
    loam_task_yield(); // each one begins, and yields
    u64 middle = clock_ns();
    to->rss = status("VmRSS:");
    to->tables = status("VmPTE:");
    u64 again = clock_ns();
    loam_task_yield(); // once around all of them
    to->resume_ns = clock_ns() - again;
    to->create_ns = middle - start;
    stop = true;
}

static void scene(void *of)
{
    (void)of;
    loam_task_options options = {.tasks = to->wanted + 1, .stack_size = STACK};
    to->rss_before = status("VmRSS:");
    to->done = loam_task_run(&options, first, NULL) == 0;
}

// The other kind of task has no stack: all that it must remember stands in a struct, and a function
// goes on from where the struct says. A compiler can make it of straight code; here we did.
struct stackless {
    u32 where, own;
    char rest[120]; // what a connection would keep
};

static void step(struct stackless *t)
{
    switch (t->where) {
    case 0:
        t->own = 1;
        t->where = 1;
        break;
    default:
        t->own++;
    }
}

static void step_all(void *of, u64 rounds)
{
    struct stackless *t = of;
    for (u64 i = 0; i < rounds; i++)
        step(&t[i % TASKS]);
}

static void without_stacks(struct lab *l)
{
    struct stackless *t = lab_memory(l, TASKS * sizeof *t, LAB_4K);
    if (t == NULL)
        return;
    struct arm arm = {"stackless_resume_ns", .run = step_all, .of = t, .rounds = TASKS};
    step_all(t, TASKS);
    lab_time(l, &arm, 1);
    lab_exact(l, "stackless_mib", (double)TASKS * sizeof *t / (double)MiB, "MiB");
}

static void run(struct lab *l)
{
    struct lab_end end;
    to = lab_shared(l, sizeof *to);
    if (to == NULL)
        return;
    u64 fit = l->room / NEED_EACH;
    to->wanted = fit < TASKS ? (u32)fit : TASKS;
    if (lab_child(l, scene, NULL, 15, &end) != 0 || !to->done || to->started == 0) {
        lab_cannot(l, NULL, "tasks do not run here%s", end.timed_out ? ": too slow" : "");
        return;
    }
    double each = (double)(to->rss - to->rss_before) / to->started;
    lab_exact(l, "tasks", to->started, "tasks");
    lab_exact(l, "bytes_each", each, "bytes");
    lab_exact(l, "mib_for_100k", each * TASKS / (double)MiB, "MiB");
    lab_exact(l, "create_ns", (double)to->create_ns / to->started, "ns");
    lab_exact(l, "resume_ns", (double)to->resume_ns / to->started, "ns");
    lab_check(l, "all_ended", to->ended == to->wanted, "%u of %u tasks began, waited and ended",
              to->ended, to->wanted);
    if (to->wanted < TASKS)
        lab_partly(l, "mib_for_100k",
                   "only %u tasks fit into what may be taken here; the figure is for 100,000",
                   to->wanted);
    lab_note(l, "Page tables of all the stacks: %.1f MiB.", (double)to->tables / (double)MiB);
    without_stacks(l);
}

static const struct claim claims[] = {
    {S3, "topic 6", "100,000 tasks", "on 2 GB", "mib_for_100k", 0, 1907, "MiB"},
    {S3, "topic 6", "100,000 tasks without stacks", "on 2 GB", "stackless_mib", 0, 1907, "MiB"},
    {S3, "topic 6", "a task each for 100,000 connections", "all of them run", "all_ended", 0, 0,
     NULL},
};

LAB_EXPERIMENT(E4) = {
    .question = "Do 100,000 tasks fit into 2 GB of memory?",
    .prediction = "If each one touches a page or two of its stack: 400 to 800 MB.",
    .method = "A child starts 100,000 of loam's tasks, each with 16 KiB of stack and a guard page. "
              "All begin, keep a variable on their stacks, and wait their turn, so that all stacks "
              "are in use at once. The kernel tells what is resident. Where a quarter of the free "
              "memory is not enough, there are fewer of them, and the verdict says so.",
    .look = "The bytes of each: one page of stack, and what loam knows of the task. Stacks are "
            "reserved whole, but only what is touched is there (B8). Tasks without stacks, of 128 "
            "bytes each, take a "
            "thirtieth of it, and cannot wait in the middle of a call.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
