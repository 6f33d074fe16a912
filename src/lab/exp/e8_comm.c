// E8 comm: how two threads talk, and how two processes do.

#include "lab/lab.h"

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

enum { EXCHANGES = 1000, PIPE_EXCHANGES = 40, PATIENCE = 1 << 14 };

static struct {
    _Alignas(128) atomic_ulong ball;
} shared;
static int way[2][2]; // a pipe each way

static void reset(void *of)
{
    (void)of;
    atomic_store(&shared.ball, 0);
}

static void by_variable(void *of, u64 rounds, u32 who)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++) {
        for (u32 spins = 1; atomic_load_explicit(&shared.ball, memory_order_acquire) != 2 * i + who;
             spins++) {
            if (spins % PATIENCE == 0)
                sched_yield(); // the other one may not be running
        }
        atomic_store_explicit(&shared.ball, 2 * i + who + 1, memory_order_release);
    }
}

static void by_pipe(void *of, u64 rounds, u32 who)
{
    (void)of;
    char c = 0;
    for (u64 i = 0; i < rounds; i++) {
        bool ok = who == 0 ? write(way[0][1], &c, 1) == 1 && read(way[1][0], &c, 1) == 1
                           : read(way[0][0], &c, 1) == 1 && write(way[1][1], &c, 1) == 1;
        if (!ok)
            die("lab: a pipe does not work", NULL);
    }
}

static void run(struct lab *l)
{
    if (pipe2(way[0], O_CLOEXEC) != 0 || pipe2(way[1], O_CLOEXEC) != 0) {
        lab_cannot(l, NULL, "no pipe is to be had");
        return;
    }
    struct arm arms[] = {
        {"shared_variable_ns", .team = by_variable, .threads = 2, .before = reset,
         .rounds = EXCHANGES, .ops = 2, .statistic = LAB_FLOOR},
        {"pipe_ns", .team = by_pipe, .threads = 2, .rounds = PIPE_EXCHANGES, .ops = 2,
         .gives_way = true, .statistic = LAB_FLOOR},
    };
    if (!lab_time(l, arms, countof(arms)))
        return;
    lab_ratio(l, "pipe_over_variable", &arms[1], &arms[0]);
    lab_why(l, "shared_variable_ns", "the line with the variable has to come from the other core");
}

static const struct claim claims[] = {
    {S3, "topic 5", "threads talk", "with zero overhead", "shared_variable_ns", 0, 1, "ns"},
    {S3, "topic 5", "processes need the kernel", "dearer", "pipe_over_variable", 10, INFINITY, "x"},
};

LAB_EXPERIMENT(E8) = {
    .question = "What does a message between threads cost, and one through the kernel?",
    .prediction = "Threads share their memory: the text says zero overhead. Processes must ask the "
                  "kernel to carry the message.",
    .method = "Two threads on two processors pass a number to and fro in a variable, then a byte "
              "through two pipes, which is what processes would do: the pipe is the cost, not the "
              "page tables (E2). The time is that of one way.",
    .look = "Zero is tens of nanoseconds: the line travels between caches (D9). The pipe costs "
            "hundreds of times that, most of it for waking the other processor.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
