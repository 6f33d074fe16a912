// E9 panic: a thread dies. Who dies with it?

#include "lab/lab.h"

#include <errno.h>
#include <loam/mutex.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static u32 *lived; // shared with the child: what main did after its thread was gone

static void *ends_itself(void *of)
{
    (void)of;
    pthread_exit(NULL);
}

static void *crashes(void *of)
{
    *(volatile int *)of = 1;
    return of;
}

static pthread_mutex_t robust;

static void *ends_with_lock(void *of)
{
    pthread_mutex_lock(&robust);
    return of; // and never lets go
}

static loam_mutex(int) owned;

static void *ends_with_guard(void *of)
{
    // Not by leaving the block: the thread just ends, as a crash inside would have it.
    loam_with (&owned, n) {
        *n = 1;
        pthread_exit(of);
    }
    return of;
}

// Run a thread and wait for it: then `main` is still there.
static void with(void *(*body)(void *))
{
    pthread_t t;
    if (pthread_create(&t, NULL, body, NULL) == 0)
        pthread_join(t, NULL);
    *lived = 1;
}

static void scene(void *of)
{
    pthread_mutexattr_t attr;
    switch (*(u32 *)of) {
    case 0:
        with(ends_itself);
        break;
    case 1:
        with(crashes);
        break;
    case 2:
        pthread_mutexattr_init(&attr);
        pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&robust, &attr);
        with(ends_with_lock);
        *lived = pthread_mutex_lock(&robust) == EOWNERDEAD ? 2 : 1;
        break;
    default:
        loam_mutex_init(&owned);
        with(ends_with_guard);
        *lived = loam_mutex_poisoned(&owned) ? 2 : 1;
    }
}

static u32 outcome(struct lab *l, u32 which, const char *what)
{
    struct lab_end end;
    *lived = 0;
    if (lab_child(l, scene, &which, 2, &end) != 0)
        return 0;
    int signal = WIFSIGNALED(end.status) ? WTERMSIG(end.status) : 0;
    lab_row(l, "%s|%s|%s", what, signal == 0 ? "lives" : strsignal(signal),
            *lived == 2 ? "told that its owner died" : "-");
    return *lived;
}

static void run(struct lab *l)
{
    lived = lab_shared(l, sizeof *lived);
    if (lived == NULL)
        return;
    lab_table(l, "a thread ends badly", "how|the process|its lock");
    bool exit_lives = outcome(l, 0, "pthread_exit") != 0;
    bool crash_lives = outcome(l, 1, "writes to NULL") != 0;
    u32 by_robust = outcome(l, 2, "ends with a robust mutex held");
    u32 by_loam = outcome(l, 3, "ends inside loam_with");
    lab_check(l, "crash_survived", crash_lives,
              "in C a thread that crashes takes the process "
              "along: a signal ends all of it");
    lab_check(l, "exit_survived", exit_lives, "a thread that ends itself takes nobody along");
    lab_check(l, "owner_dead_told", by_robust == 2, "EOWNERDEAD %s",
              by_robust == 2 ? "told the next one" : "did not come");
    lab_check(l, "poisoned", by_robust == 2 || by_loam == 2, "a lock whose owner died is told");
    lab_note(l, "loam_with, left by pthread_exit: %s.",
             by_loam == 2 ? "the mutex is poisoned" : "the block's clean-up let go of it in order");
}

static const struct claim claims[] = {
    {S3, "topic 8", "a thread that panics", "dies, the process lives", "crash_survived", 0, 0,
     NULL},
    {S3, "topic 8", "a thread that ends itself", "the process lives", "exit_survived", 0, 0, NULL},
    {S3, "topic 8", "its lock", "is poisoned", "poisoned", 0, 0, NULL},
};

LAB_EXPERIMENT(E9) = {
    .question = "Does a process survive the death of one of its threads?",
    .prediction =
        "In Rust a panic ends its thread alone, and poisons the locks that it held. C has "
        "no panic, only ends and crashes.",
    .method =
        "Children have a thread that ends itself, that crashes, that ends with a robust mutex "
        "held, and that ends inside loam_with. What the process does afterwards is written "
        "down in shared memory.",
    .look = "A crash is the process's. A robust mutex tells the next owner that the data may be "
            "half changed; loam's mutexes are robust, and say it in one line.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
