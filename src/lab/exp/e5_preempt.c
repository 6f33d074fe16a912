// E5 preempt: the timer takes the processor from a loop that never ends.

#include "lab/lab.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GAPS = 4096, GAP_NS = 200000 };

// A child on our processor that never gives way.
static pid_t start_spinner(u64 for_ns)
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    for (u64 end = clock_ns() + for_ns; clock_ns() < end;) // while (true), but for the lab's sake
        KEEP(end);
    _exit(0);
}

// We look at the clock without end, too: a jump is a time in which somebody else ran.
static u32 look(u64 for_ns, double *gap_ms)
{
    u32 n = 0;
    u64 last = clock_ns(), end = last + for_ns;
    while (last < end && n < GAPS) {
        u64 now = clock_ns();
        if (now - last > GAP_NS)
            gap_ms[n++] = (double)(now - last) * 1e-6;
        last = now;
    }
    return n;
}

static void run(struct lab *l)
{
    u64 for_ns = lab_pick(l, 500, 2000) * 1000000;
    double *gap = calloc(2 * GAPS, sizeof *gap), *alone = gap + GAPS;
    if (gap == NULL)
        return;
    u32 quiet = look(for_ns / 4, alone);
    pid_t pid = start_spinner(for_ns + 100000000);
    if (pid < 0) {
        lab_cannot(l, NULL, "no process could be started");
        return;
    }
    u32 n = look(for_ns, gap);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    double others = 0;
    for (u32 i = 0; i < n; i++)
        others += gap[i];
    double share = 100 * (1 - others * 1e6 / (double)for_ns);
    if (n > 0)
        lab_distribution(l, "slice_ms", gap, n, "ms");
    lab_exact(l, "our_share", share, "%");
    lab_check(l, "seized", n >= 3 && share > 2,
              "the loop lost the processor %u times in %llu ms, and we had %.0f %% of the time", n,
              (unsigned long long)(for_ns / 1000000), share);
    lab_note(l, "Without the spinner there were %u such gaps in a quarter of the time.", quiet);
    free(gap);
}

static const struct claim claims[] = {
    {S3, "topic 6", "while (true)", "the timer seizes it", "seized", 0, 0, NULL},
    {S3, "topic 6", "a time slice", "every few ms", "slice_ms", 0.5, 100, "ms"},
};

LAB_EXPERIMENT(E5) = {
    .question = "Can a loop that never ends keep a processor for itself?",
    .prediction = "No: the timer interrupts it, and the scheduler gives the processor to whoever "
                  "waited longest.",
    .method = "A child spins on our processor and never gives way. We look at the clock without "
              "end: where it jumps by more than 0.2 ms, the other had the processor, and the jump "
              "is its slice. Beforehand the same alone, for what the machine does anyway.",
    .look = "About half of the time is ours, in slices of some milliseconds: multiples of the "
            "kernel's tick, 4 ms at 250 Hz.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
