// What happens to tasks that break the rules, and to what is not their fault.
#include "tests/unit/tasks.h"

#include <pthread.h>

// ---------------------------------------------------------------- bad days

static __attribute__((noinline)) int deep(int n)
{
    volatile char frame[200];
    frame[0] = (char)n;
    return n == 0 ? 0 : deep(n - 1) + frame[0];
}

static void nothing(void *arg)
{
    (void)arg;
}

static void overflows(void *arg)
{
    (void)arg;
    deep(10000000);
}

static void go_overflow(void *arg)
{
    (void)arg;
    CHECK(loam_go("parser", overflows, NULL, NULL) == 0);
}

DIES(an_overflow_is_told_with_name_and_size,
     "loam: task 'parser' overflowed its stack of 1048576 bytes\n")
{
    CHECK(loam_task_run(&(loam_task_options){.stack_size = 1 << 20}, go_overflow, NULL) == 0);
}

static void on_another_worker(void *arg)
{
    (void)arg;
    for (int i = 0; i < 4; i++)
        CHECK(loam_go("parser", overflows, NULL, NULL) == 0);
}

DIES(an_overflow_is_told_on_any_worker, "loam: task 'parser' overflowed its stack of ")
{
    loam_task_options o = {.workers = 3};
    CHECK(loam_task_run(&o, on_another_worker, NULL) == 0);
}

static void own_handler(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    _exit(info->si_addr == (void *)16 ? 0 : 1);
}

static void faults(void *arg)
{
    *(volatile int *)arg = 1;
}

TEST(another_fault_is_the_programs)
{
    struct sigaction own = {.sa_sigaction = own_handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &own, NULL);
    run(faults, (void *)16);
    CHECK(!"reached");
}

TEST(a_fault_that_nobody_handles_kills)
{
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL);
        run(faults, (void *)16);
        _exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGSEGV);
}

TEST(the_handler_is_as_it_was_after_a_run)
{
    struct sigaction own = {.sa_sigaction = own_handler, .sa_flags = SA_SIGINFO}, now;
    stack_t before, after;
    sigaction(SIGSEGV, &own, NULL);
    sigaltstack(NULL, &before);
    run(nothing, NULL);
    sigaction(SIGSEGV, NULL, &now);
    sigaltstack(NULL, &after);
    CHECK(now.sa_sigaction == own_handler);
    CHECK(before.ss_flags == after.ss_flags);
    CHECK(before.ss_sp == after.ss_sp);
}

#if !under_asan && !under_tsan // they stumble over it first
static void ends_thread(void *arg)
{
    (void)arg;
    pthread_exit(NULL);
}

DIES(pthread_exit_in_a_task_is_told, "loam: pthread_exit: the thread still runs tasks")
{
    run(ends_thread, NULL);
}
#endif

static void waits_on(void *arg)
{
    int n;
    loam_chan_recv(arg, &n);
}

static void frees_early(void *arg)
{
    (void)arg;
    loam_chan *c = loam_chan_new(1, 0);
    go(waits_on, c);
    CHECK(loam_task_yield() == 0);
    loam_chan_free(c);
}

DIES(a_channel_freed_under_a_waiter_is_told, "loam_chan_free: a task still waits in the channel")
{
    run(frees_early, NULL);
}

static void never_in_child(void *arg)
{
    CHECK(loam_task_sleep(20 * MS) == 0);
    CHECK(getpid() == *(pid_t *)arg);
    say('p');
}

static void forks(void *arg)
{
    go(never_in_child, arg);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(loam_task_yield() == -EPERM);
        CHECK(loam_go("x", nothing, NULL, NULL) == -EPERM);
        CHECK(loam_task_run(NULL, nothing, NULL) == 0); // a run of its own is fine
        return;                                         // the child exits with 0
    }
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
    say('f');
}

TEST(the_child_of_a_fork_has_no_tasks)
{
    pid_t me = getpid();
    run(forks, &me);
    CHECK(getpid() == me);
    CHECK(said("fp"));
}

static void forks_among_many(void *arg)
{
    for (int i = 0; i < 5; i++) {
        pid_t pid = fork();
        if (pid == 0)
            return; // the child exits with 0
        int status = -1;
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(status == 0);
        CHECK(loam_task_yield() == 0);
    }
    (void)arg;
}

static void many_fork(void *arg)
{
    (void)arg;
    for (int i = 0; i < 6; i++)
        CHECK(loam_go("forks", forks_among_many, NULL, NULL) == 0);
}

TEST(a_fork_on_many_workers_has_one_task)
{
    // One does not follow a fork of many threads, the other scans the child for threads it lacks.
    if (!under_tsan && !under_asan)
        on(3, many_fork, NULL);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
