// F6 futex: a lock that asks the kernel only when it must.

#include "lab/lab.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { LOCKS = 1000000 };

static struct counts {
    atomic_ulong now;
    u64 alone, contended, contended_locks;
    bool filtered;
} * counts;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

// Instead of the system call: count it, and say "try again", which a futex may always do.
static void on_futex(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    ucontext_t *c = context;
    atomic_fetch_add(&counts->now, 1);
#if defined(__x86_64__)
    c->uc_mcontext.gregs[REG_RAX] = -EAGAIN;
#elif defined(__aarch64__)
    c->uc_mcontext.regs[0] = (u64)-EAGAIN;
#else
    (void)c;
#endif
}

static bool count_futexes(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {countof(code), code};
    struct sigaction a = {.sa_sigaction = on_futex, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &a, NULL);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static atomic_bool started;

// Holds the lock half of the time, and gives the processor away with it and without: on a machine
// with one processor the other would otherwise never find it free.
static void *hog(void *of)
{
    u64 end = clock_ns() + *(const u64 *)of;
    do {
        pthread_mutex_lock(&mutex);
        atomic_store(&started, true);
        sched_yield();
        pthread_mutex_unlock(&mutex);
        sched_yield();
    } while (clock_ns() < end);
    return NULL;
}

static void scene(void *of)
{
    (void)of;
    pthread_t t;
    u64 long_enough = 50000000;
    counts->filtered = count_futexes();
    for (u32 i = 0; i < LOCKS; i++) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    }
    counts->alone = atomic_exchange(&counts->now, 0);
    if (pthread_create(&t, NULL, hog, &long_enough) != 0)
        return;
    while (!atomic_load(&started))
        sched_yield();
    for (u64 end = clock_ns() + long_enough / 2; clock_ns() < end; counts->contended_locks++) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    }
    counts->contended = atomic_load(&counts->now);
    _exit(0);
}

static void run(struct lab *l)
{
    struct lab_end end;
    counts = lab_shared(l, sizeof *counts);
    if (counts == NULL || lab_child(l, scene, NULL, 0, &end) != 0)
        return;
    if (!counts->filtered || end.timed_out) {
        lab_cannot(l, NULL, "system calls cannot be counted: seccomp is not permitted here");
        return;
    }
    lab_exact(l, "futex_calls_alone", (double)counts->alone, "calls");
    lab_exact(l, "futex_calls_contended", (double)counts->contended, "calls");
    lab_check(l, "kernel_waits", counts->contended > 0,
              "%llu calls for %llu locks that another thread wants too",
              (unsigned long long)counts->contended, (unsigned long long)counts->contended_locks);
    lab_note(l, "%d times locked and unlocked alone: %llu system calls.", LOCKS,
             (unsigned long long)counts->alone);
}

static const struct claim claims[] = {
    {S3, "topic 8", "who waits", "mutex and futex are tools of the kernel", "kernel_waits", 0, 0,
     NULL},
    {S3, "topic 8", "a lock that is free", "no system call", "futex_calls_alone", 0, 0, "calls"},
};

LAB_EXPERIMENT(F6) = {
    .question = "Does locking a mutex call the kernel?",
    .prediction = "Only if there is somebody to wait for, or to wake.",
    .method = "A child gives itself a system call filter (seccomp) that hands every futex call to "
              "a signal handler, which counts it. It locks and unlocks a million times alone, then "
              "against a thread that holds the lock most of the time.",
    .look = "Alone exactly 0 calls: a lock is one atomic instruction (F2). Against another every "
            "wait is a call.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
