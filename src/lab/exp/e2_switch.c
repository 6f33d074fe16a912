// E2 switch: from one process to another, and from one thread to another.

#include "lab/lab.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THERE, BACK };

#if defined(__x86_64__)
#define X86 true
#else
#define X86 false
#endif

// Two pipes and somebody who answers at the other end, on the same processor.
struct pair {
    int pipe[2][2];
    pid_t pid;
    pthread_t thread;
    atomic_uint word, *shared; // for the futex: whose turn
};

static void answer(const struct pair *p)
{
    char c;
    while (read(p->pipe[THERE][0], &c, 1) == 1 && write(p->pipe[BACK][1], &c, 1) == 1) {
    }
}

static void *answering_thread(void *of)
{
    answer(of);
    return NULL;
}

static bool pipes(struct pair *p)
{
    return pipe2(p->pipe[0], O_CLOEXEC) == 0 && pipe2(p->pipe[1], O_CLOEXEC) == 0;
}

static bool with_process(struct pair *p)
{
    if (!pipes(p))
        return false;
    p->pid = fork();
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(p->pipe[THERE][1]); // or it would never see the end
        close(p->pipe[BACK][0]);
        answer(p);
        _exit(0);
    }
    return p->pid > 0;
}

static bool with_thread(struct pair *p)
{
    return pipes(p) && pthread_create(&p->thread, NULL, answering_thread, p) == 0;
}

static void ping(void *of, u64 rounds)
{
    const struct pair *p = of;
    char c = 0;
    for (u64 i = 0; i < rounds; i++) {
        if (write(p->pipe[THERE][1], &c, 1) != 1 || read(p->pipe[BACK][0], &c, 1) != 1)
            die("lab: nobody answers", NULL);
    }
}

// The same calls without a switch: into a pipe, and out of it again.
static void alone(void *of, u64 rounds)
{
    const struct pair *p = of;
    char c = 0;
    for (u64 i = 0; i < rounds; i++) {
        if (write(p->pipe[BACK][1], &c, 1) != 1 || read(p->pipe[BACK][0], &c, 1) != 1)
            die("lab: a pipe does not work", NULL);
    }
}

static void give_turn(atomic_uint *word, u32 mine)
{
    atomic_store(word, 1 - mine);
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    while (atomic_load(word) == 1 - mine)
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 1 - mine, NULL, NULL, 0);
}

static void *futex_thread(void *of)
{
    struct pair *p = of;
    while (atomic_load(&p->word) == 0)
        syscall(SYS_futex, &p->word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    while (atomic_load(&p->word) != 2)
        give_turn(&p->word, 1);
    return NULL;
}

static void futexes(void *of, u64 rounds)
{
    struct pair *p = of;
    for (u64 i = 0; i < rounds; i++)
        give_turn(&p->word, 0);
}

static bool has_flag(const char *flag)
{
    char line[8192], word[32];
    bool has = false;
    FILE *f = fopen("/proc/cpuinfo", "re");
    snprintf(word, sizeof word, " %s", flag);
    while (f != NULL && !has && fgets(line, sizeof line, f) != NULL)
        has = strncmp(line, "flags", 5) == 0 && strstr(line, word) != NULL;
    if (f != NULL)
        fclose(f);
    return has;
}

static void run(struct lab *l)
{
    static struct pair process, thread, futex;
    if (!with_process(&process) || !with_thread(&thread) ||
        pthread_create(&futex.thread, NULL, futex_thread, &futex) != 0) {
        lab_cannot(l, NULL, "no process or thread could be started");
        return;
    }
    struct arm arms[] = {
        {"pipe_alone_ns", .run = alone, .of = &thread, .ops = 1, .gives_way = true},
        {"thread_switch_ns", .run = ping, .of = &thread, .ops = 2, .gives_way = true},
        {"process_switch_ns", .run = ping, .of = &process, .ops = 2, .gives_way = true},
        {"futex_switch_ns", .run = futexes, .of = &futex, .ops = 2, .gives_way = true},
    };
    lab_time(l, arms, countof(arms));
    lab_ratio(l, "process_over_thread", &arms[2], &arms[1]);
    bool tags = has_flag("pcid") || !X86;
    lab_why(l, "process_over_thread", "%s",
            tags ? "entries of several address spaces may stay in this processor's TLB"
                 : "the misses come later, where pages are touched again (B16)");
    lab_check(l, "must_flush", !tags,
              tags ? "each entry carries the number of its address space%s"
                   : "nothing tells entries of two address spaces apart%s",
              X86 ? " (PCID in /proc/cpuinfo)" : " (ASID)");
    lab_check(l, "tags_avoid_it", tags && arms[2].got.value < 1.5 * arms[1].got.value,
              "tags: %s; a process costs %.2f times a thread", tags ? "yes" : "no",
              arms[2].got.value / arms[1].got.value);
    close(process.pipe[THERE][1]);
    close(thread.pipe[THERE][1]);
    waitpid(process.pid, NULL, 0);
    pthread_join(thread.thread, NULL);
    atomic_store(&futex.word, 2);
    syscall(SYS_futex, &futex.word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    pthread_join(futex.thread, NULL);
}

static const struct claim claims[] = {
    {S3, "topic 5", "a switch between processes", "dearer than between threads: TLB flush",
     "process_over_thread", 1.2, INFINITY, "x"},
    {S3, "topic 5", "at a switch of processes", "it is mandatory to flush the TLB", "must_flush", 0,
     0, NULL},
    {S3, "topic 3", "PCID", "avoids the flush", "tags_avoid_it", 0, 0, NULL},
    {S3, "topic 6", "a switch by the kernel", "microseconds", "thread_switch_ns", 500, 10000, "ns"},
};

LAB_EXPERIMENT(E2) = {
    .question = "Is a switch between processes dearer than one between threads?",
    .prediction = "The text says so, because the TLB must be flushed for another address space. "
                  "With PCID (tags in the TLB) it must not.",
    .method =
        "A byte goes to and fro through pipes, on one processor: to a thread, and to a "
        "process. Half of a round trip is one write, one read and one switch. The same pipe "
        "without a switch tells the share of the calls; a futex needs none. On two processors "
        "this would measure how an idle one is woken instead.",
    .look =
        "Hardly a difference when both sides touch little memory. What a switch costs later, in "
        "misses, grows with the pages that each side uses: B16.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
