// E7 fibers-mn: many tasks on a few threads.

#include "lab/lab.h"

#include <loam/task.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TASKS = 60, TURNS = 8, WORK = 2000, WORKERS = 64 };
enum { TRIAL_NS = 20000000, PATIENCE_NS = 1000000000 };

static atomic_uint ended;
static atomic_int seen[WORKERS]; // thread IDs

static void note_thread(void)
{
    int self = (int)syscall(SYS_gettid);
    for (u32 i = 0; i < WORKERS; i++) {
        int empty = 0;
        if (atomic_load(&seen[i]) == self ||
            (atomic_compare_exchange_strong(&seen[i], &empty, self) || empty == self))
            return;
    }
}

static u32 threads_seen(void)
{
    u32 n = 0;
    for (u32 i = 0; i < WORKERS; i++)
        n += atomic_load(&seen[i]) != 0;
    return n;
}

static void worker_task(void *of)
{
    (void)of;
    for (u32 turn = 0; turn < TURNS; turn++) {
        u64 x = turn + 1;
        for (u32 i = 0; i < WORK; i++) {
            x = x * 6364136223846793005ull + 1442695040888963407ull;
            KEEP(x);
        }
        if (turn == 0)
            note_thread();
        loam_task_yield();
    }
    atomic_fetch_add(&ended, 1);
}

static void start_all(void *of)
{
    (void)of;
    for (u32 i = 0; i < TASKS; i++) {
        if (loam_go("worker", worker_task, NULL, NULL) != 0)
            die("lab: no task could be started", NULL);
    }
}

static void run_with(void *of, u64 rounds)
{
    loam_task_options options = {.workers = *(const u32 *)of};
    for (u64 i = 0; i < rounds; i++) {
        if (loam_task_run(&options, start_all, NULL) != 0)
            die("lab: tasks do not run", NULL);
    }
}

// Threads of ours are pinned where we are: let them go where they like.
static void unpin(const struct lab *l)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (u32 i = 0; i < l->machine->cpu_count; i++)
        CPU_SET(l->machine->cpus[i], &set);
    sched_setaffinity(0, sizeof set, &set);
}

// How much of a processor each of `n` busy threads gets: less than all of it if others want it.
static void *spinner(void *of)
{
    struct timespec cpu;
    for (u64 end = clock_ns() + TRIAL_NS; clock_ns() < end;)
        KEEP(end);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    *(double *)of = (double)cpu.tv_sec * 1e9 + (double)cpu.tv_nsec;
    return NULL;
}

static double share_of_processors(u32 n)
{
    pthread_t thread[8];
    double ns[8] = {0}, sum = 0;
    for (u32 i = 0; i < n; i++) {
        if (pthread_create(&thread[i], NULL, spinner, &ns[i]) != 0)
            die("lab: no thread could be started", NULL);
    }
    for (u32 i = 0; i < n; i++) {
        pthread_join(thread[i], NULL);
        sum += ns[i];
    }
    return sum / TRIAL_NS / n;
}

static void run(struct lab *l)
{
    u32 cpus[8], n = lab_cpus(l, cpus, countof(cpus)), one = 1, many = n < 2 ? 2 : n, threads = 0;
    unpin(l);
    // A worker whose processor is busy may come when all is done: give it more than one chance.
    u32 runs = 0;
    for (u64 end = clock_ns() + PATIENCE_NS; threads < 2 && clock_ns() < end; runs++) {
        run_with(&many, 1);
        threads = threads_seen();
    }
    u32 all = atomic_load(&ended);
    lab_check(l, "all_ended", all == runs * TASKS, "%u of %u tasks ended", all, runs * TASKS);
    lab_check(l, "m_on_n", threads >= 2 && threads < TASKS, "%u threads were seen to run %u tasks",
              threads, TASKS);
    struct arm arms[] = {
        {"one_worker", .run = run_with, .of = &one, .ops = TASKS * TURNS, .gives_way = true},
        {"a_worker_each_processor", .run = run_with, .of = &many, .ops = TASKS * TURNS,
         .gives_way = true},
    };
    double before = share_of_processors(many);
    lab_time(l, arms, countof(arms));
    double after = share_of_processors(many), share = before < after ? before : after;
    double speedup = lab_ratio(l, "speedup", &arms[0], &arms[1]);
    if (n < 2)
        lab_cannot(l, "speedup", "it takes 2 processors, and there is 1");
    else if (share < 0.9 && speedup < 1.2)
        lab_cannot(l, "speedup", "others use the processors now: we get %.0f %% of them",
                   100 * share);
    lab_pin(l->cpu);
}

static const struct claim claims[] = {
    {S3, "topic 6", "M tasks on N threads", "M:N", "m_on_n", 0, 0, NULL},
    {S3, "topic 6", "all processors are used", "M:N", "speedup", 1.2, INFINITY, "x"},
};

LAB_EXPERIMENT(E7) = {
    .question = "Can many tasks use several processors?",
    .prediction = "With a scheduler that moves tasks between threads: M:N, as the text calls it.",
    .method = "60 of loam's tasks compute a little, eight times each, and yield in between: on one "
              "worker, and on one for each processor. Tasks note which threads they begin on. The "
              "time is that of one turn of one task.",
    .look = "The speed-up should come near the number of processors on a quiet machine. A task may "
            "begin on one thread and go on in another: what they share needs a lock or a channel.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
