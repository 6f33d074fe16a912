// B16 ctx-tlb: what a switch leaves of the translations.

#include "lab/lab.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Lines 4160 bytes apart spread over the sets of the cache.
enum { SIZES = 5, STEP = 4096 + 64, MOST = 512 };
static const u16 size[SIZES] = {0, 32, 128, 256, 512}; // pages that each side touches in its turn

// Somebody who answers on the same processor, and touches as many pages as asked.
struct pair {
    int there[2], back[2];
    volatile char *mine, *theirs;
    pid_t pid;
    pthread_t thread;
};

static void touch(volatile char *at, u32 pages)
{
    for (u32 i = 0; i < pages; i++)
        at[(u64)i * STEP]++;
}

static void answer(const struct pair *p)
{
    u8 which;
    while (read(p->there[0], &which, 1) == 1) {
        touch(p->theirs, size[which]);
        if (write(p->back[1], &which, 1) != 1)
            return;
    }
}

static void *answering_thread(void *of)
{
    answer(of);
    return NULL;
}

static bool begin(struct lab *l, struct pair *p, bool thread)
{
    p->mine = lab_memory(l, MOST * STEP, LAB_4K);
    p->theirs = lab_memory(l, MOST * STEP, LAB_4K);
    if (p->mine == NULL || p->theirs == NULL || pipe2(p->there, O_CLOEXEC) != 0 ||
        pipe2(p->back, O_CLOEXEC) != 0)
        return false;
    if (thread)
        return pthread_create(&p->thread, NULL, answering_thread, p) == 0;
    p->pid = fork();
    if (p->pid != 0)
        return p->pid > 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(p->there[1]); // or it would never see the end
    close(p->back[0]);
    answer(p);
    _exit(0);
}

static void end(struct pair *p, bool thread)
{
    close(p->there[1]);
    if (thread)
        pthread_join(p->thread, NULL);
    else
        waitpid(p->pid, NULL, 0);
}

struct turn {
    struct pair *pair;
    u8 which;
};

static void take_turns(void *of, u64 rounds)
{
    const struct turn *t = of;
    u8 which = t->which;
    for (u64 i = 0; i < rounds; i++) {
        touch(t->pair->mine, size[which]);
        if (write(t->pair->there[1], &which, 1) != 1 || read(t->pair->back[0], &which, 1) != 1)
            die("lab: nobody answers", NULL);
    }
}

static bool tagged(void)
{
    char line[8192];
    bool has = false;
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f != NULL && !has && fgets(line, sizeof line, f) != NULL)
        has = strncmp(line, "flags", 5) == 0 && strstr(line, " pcid") != NULL;
    if (f != NULL)
        fclose(f);
    return has;
}

static void measure(struct lab *l, struct pair *threads, struct pair *processes)
{
    struct turn turn[2 * SIZES];
    struct arm arms[2 * SIZES];
    for (u8 i = 0; i < 2 * SIZES; i++) {
        turn[i] = (struct turn){i < SIZES ? threads : processes, i % SIZES};
        arms[i] = (struct arm){"turns", .run = take_turns, .of = &turn[i], .gives_way = true};
    }
    if (!lab_time_quietly(l, arms, 2 * SIZES, l->full ? 4 : 0.8))
        return;
    u32 series[2] = {lab_series(l, "threads", "pages of each side", "ns"),
                     lab_series(l, "processes", "pages of each side", "ns")};
    for (u32 i = 1; i < 2 * SIZES; i++) // a logarithmic axis has no 0
        if (i % SIZES != 0)
            lab_point(l, series[i / SIZES], size[i % SIZES], arms[i].got);
    struct arm *thread = &arms[SIZES - 1], *process = &arms[2 * SIZES - 1];
    double extra =
        process->got.value - arms[SIZES].got.value - (thread->got.value - arms[0].got.value);
    lab_measured(l, "extra_ns_a_page", stat_exact(extra / (2 * MOST)), "ns");
    lab_ratio(l, "slow_after", process, thread);
    lab_why(l, "slow_after", "translations carry the number of their space (PCID), and stay");
    lab_ratio(l, "small_set", &arms[SIZES], &arms[0]);
    if (tagged())
        lab_ratio(l, "with_tags", process, thread);
    else
        lab_cannot(l, "with_tags", "this processor shows no PCID");
}

static void run(struct lab *l)
{
    static struct pair threads, processes;
    // The process first: a fork would inherit the pipes of the thread, and hold them open.
    if (!begin(l, &processes, false)) {
        lab_cannot(l, NULL, "no process could be started");
        return;
    }
    if (begin(l, &threads, true)) {
        measure(l, &threads, &processes);
        end(&threads, true);
    } else {
        lab_cannot(l, NULL, "no thread could be started");
    }
    end(&processes, false);
}

// No text says how much slower: a fifth is taken for what can be noticed.
static const struct claim claims[] = {
    {S3, "topic 5", "after a switch of process, 512 pages", "slow: the TLB was flushed",
     "slow_after", 1.2, INFINITY, "x"},
    {S3, "topic 3", "the same, with PCID", "the flush is avoided", "with_tags", 0, 1.2, "x"},
    {S3, "topic 5", "a switch of process against one of thread", "much dearer", "small_set", 1.2,
     INFINITY, "x"},
};

LAB_EXPERIMENT(B16) = {
    .question = "Does a switch of process cost the translations?",
    .prediction = "The TLB is flushed, so that the next thousands of instructions are slow; a "
                  "processor with PCID keeps its entries.",
    .method = "Two sides take turns on one processor, through pipes, and each touches some pages "
              "of its own in its turn. They are two threads, which share their translations, or "
              "two processes, which do not. The caches see the same in both, so that the "
              "difference grows with the pages only if translations are lost.",
    .look = "Two curves that stay together: nothing is flushed. Two that part with the number of "
            "pages: each page is walked for again. Without counters of TLB misses this shows the "
            "sum of all effects, not the flush alone.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
