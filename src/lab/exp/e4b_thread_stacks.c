// E4b thread-stacks: what a thread takes.

#include "lab/lab.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct outcome {
    u32 wanted, started;
    u64 rss, size, kernel;
    u64 ns;
    bool done;
} * to;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static u64 field(const char *file, const char *key)
{
    char line[256];
    u64 kib = 0;
    FILE *f = fopen(file, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtoull(line + strlen(key), NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return kib * KiB;
}

static void *wait_for_gate(void *of)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return of;
}

static void scene(void *of)
{
    (void)of;
    pthread_t *thread = calloc(to->wanted, sizeof *thread);
    if (thread == NULL)
        return;
    memset(thread, 1, to->wanted * sizeof *thread);
    u64 rss = field("/proc/self/status", "VmRSS:"), size = field("/proc/self/status", "VmSize:");
    u64 kernel = field("/proc/meminfo", "KernelStack:");
    pthread_mutex_lock(&gate);
    u64 start = clock_ns();
    while (to->started < to->wanted &&
           pthread_create(&thread[to->started], NULL, wait_for_gate, NULL) == 0)
        to->started++;
    usleep(20000); // all of them have come to the gate, or very nearly
    to->ns = clock_ns() - start - 20000000;
    to->rss = field("/proc/self/status", "VmRSS:") - rss;
    to->size = field("/proc/self/status", "VmSize:") - size;
    u64 now = field("/proc/meminfo", "KernelStack:");
    to->kernel = now > kernel ? now - kernel : 0;
    pthread_mutex_unlock(&gate);
    for (u32 i = 0; i < to->started; i++)
        pthread_join(thread[i], NULL);
    to->done = true;
}

static void run(struct lab *l)
{
    struct lab_end end;
    pthread_attr_t attr;
    size_t usual = 0;
    to = lab_shared(l, sizeof *to);
    if (to == NULL)
        return;
    to->wanted = (u32)lab_pick(l, 1000, 4000);
    if (lab_child(l, scene, NULL, 15, &end) != 0 || !to->done || to->started < 10) {
        lab_cannot(l, NULL, "so many threads are not to be had here");
        return;
    }
    pthread_attr_init(&attr);
    pthread_attr_getstacksize(&attr, &usual);
    pthread_attr_destroy(&attr);
    double n = to->started;
    lab_exact(l, "threads", n, "threads");
    lab_exact(l, "stack_reserved_mib", (double)usual / (double)MiB, "MiB");
    lab_exact(l, "virtual_mib_each", (double)to->size / n / (double)MiB, "MiB");
    lab_exact(l, "resident_mib_each", (double)to->rss / n / (double)MiB, "MiB");
    lab_exact(l, "resident_kib_each", (double)to->rss / n / (double)KiB, "KiB");
    lab_exact(l, "kernel_stack_kib_each", (double)to->kernel / n / (double)KiB, "KiB");
    lab_exact(l, "create_us_each", (double)to->ns / n * 1e-3, "us");
    lab_why(l, "resident_mib_each", "stacks are reserved, and only the touched pages are taken");
    lab_why(l, "stack_reserved_mib", "2 MiB is Rust's choice; here libc takes the stack limit");
    lab_note(l, "100,000 such threads would take about %.1f GB, kernel stacks included.",
             ((double)to->rss + (double)to->kernel) / n * 1e5 / 1e9);
}

static const struct claim claims[] = {
    {S3, "topic 6", "memory of a thread", "2 MB each", "resident_mib_each", 1.5, 2.5, "MiB"},
    {S3, "topic 6", "stack that is reserved", "2 MB each", "stack_reserved_mib", 1.5, 2.5, "MiB"},
};

LAB_EXPERIMENT(E4b) = {
    .question = "Does each thread take 2 MB?",
    .prediction = "Of addresses, as much as its stack is large. Of memory, what it touches: two or "
                  "three pages.",
    .method = "A child starts a thousand threads (4,000 in a full run), which all wait at a locked "
              "mutex. What the process has resident and reserved is divided by their number; the "
              "kernel's stacks come from /proc/meminfo, which counts the whole machine.",
    .look = "Some 8 KiB resident, and 16 KiB in the kernel for each. It is the kernel's limits on "
            "threads (pid_max, threads-max) that end it before the memory does.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
