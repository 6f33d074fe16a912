// E1 create: what a new process costs, a new thread, a new task.

#include "lab/lab.h"

#include <loam/task.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void *nothing(void *of)
{
    return of;
}

static void threads(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++) {
        pthread_t t;
        if (pthread_create(&t, NULL, nothing, NULL) != 0)
            die("lab: no thread could be started", NULL);
        pthread_join(t, NULL);
    }
}

static void forks(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        if (pid < 0)
            die("lab: no process could be started", NULL);
        waitpid(pid, NULL, 0);
    }
}

// The child borrows our memory instead of copying its tables, and we stand still until it ends.
__attribute__((noinline)) static void vfork_once(void)
{
    pid_t pid = vfork();
    if (pid == 0)
        _exit(0);
    if (pid < 0)
        die("lab: no process could be started", NULL);
    waitpid(pid, NULL, 0);
}

static void vforks(void *of, u64 rounds)
{
    (void)of;
    for (u64 i = 0; i < rounds; i++)
        vfork_once();
}

static void empty_task(void *of)
{
    (void)of;
}

static void start_tasks(void *of)
{
    for (u64 i = 0; i < *(const u64 *)of; i++) {
        loam_task t;
        if (loam_go("empty", empty_task, NULL, &t) != 0 || loam_task_join(t) != 0)
            die("lab: no task could be started", NULL);
    }
}

static void tasks(void *of, u64 rounds)
{
    (void)of;
    if (loam_task_run(NULL, start_tasks, &rounds) != 0)
        die("lab: tasks do not run", NULL);
}

// fork with so much memory touched; 0: it was too much.
static double fork_with(struct lab *l, u32 curve, u64 bytes, enum lab_pages pages)
{
    struct arm arm = {"fork", .run = forks, .rounds = 1, .gives_way = true};
    char *ballast = lab_memory(l, bytes, pages);
    if (ballast == NULL)
        return 0;
    memset(ballast, 1, bytes);
    bool huge = pages != LAB_HUGE || lab_smaps(ballast, "AnonHugePages") >= bytes / 2;
    if (huge && lab_time_quietly(l, &arm, 1, l->full ? 0.3 : 0.05))
        lab_point(l, curve, (double)bytes, arm.got);
    madvise(ballast, bytes, MADV_DONTNEED);
    double ns = arm.got.value;
    samples_done(&arm.samples);
    return ns;
}

static void run(struct lab *l)
{
    struct arm arms[] = {
        // The kernel has no part in it; many of them, so that the run around them does not count.
        {"task_ns", .run = tasks, .rounds = 3000},
        {"thread_ns", .run = threads, .gives_way = true},
        {"vfork_ns", .run = vforks, .gives_way = true},
        {"fork_ns", .run = forks, .gives_way = true},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "fork_over_thread", &arms[3], &arms[1]);
    lab_ratio(l, "thread_over_task", &arms[1], &arms[0]);
    u64 most = lab_pick(l, 128, 512) * MiB;
    u32 small = lab_series(l, "4K pages", "bytes", "ns");
    u32 huge = lab_series(l, "2M pages", "bytes", "ns");
    double first = 0, last = 0;
    for (u64 bytes = 16 * MiB; bytes <= most && 4 * bytes < l->room; bytes *= 2) {
        double ns = fork_with(l, small, bytes, LAB_4K);
        last = ns > 0 ? ns : last;
        first = first == 0 ? last : first;
        fork_with(l, huge, bytes, LAB_HUGE);
    }
    lab_check(l, "copies_tables", last > 1.5 * first && first > 0,
              "fork took %.2f ms with 16 MiB touched, and %.2f ms with the most", first * 1e-6,
              last * 1e-6);
}

static const struct claim claims[] = {
    {S3, "topic 5", "fork against a thread", "expensive", "fork_over_thread", 1.5, INFINITY, "x"},
    {S3, "topic 5", "fork", "copies page tables", "copies_tables", 0, 0, NULL},
};

LAB_EXPERIMENT(E1) = {
    .question = "What does it cost to start something that runs?",
    .prediction =
        "A process copies its parent's page tables, so it should cost more than a thread, "
        "and more with more memory. A task only needs a stack.",
    .method = "Each is started, does nothing, and is waited for. Then fork once more with more and "
              "more memory touched before, in small pages and in huge ones. Samples in which the "
              "processor was given away are kept here: that is the point.",
    .look = "The curve: fork is linear in what is touched, because every present page has an entry "
            "in a table. Huge pages have 512 times fewer. vfork copies nothing.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
