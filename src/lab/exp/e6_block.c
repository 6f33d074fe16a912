// E6 block: one task that never yields, and all the others.

#include "lab/lab.h"

#include <loam/task.h>
#include <time.h>

enum { TICKERS = 10, TURNS = 200, HOG_NS = 30000000 };

static u64 worst_ns;
static enum { NO_HOG, HOG, HOG_YIELDS, HOG_BLOCKS } scene;

// Wants a turn again and again, and notes the longest it waited for one.
static void ticker(void *of)
{
    (void)of;
    u64 last = clock_ns();
    for (u32 i = 0; i < TURNS; i++) {
        loam_task_yield();
        u64 now = clock_ns();
        worst_ns = now - last > worst_ns ? now - last : worst_ns;
        last = now;
    }
}

static void spin(void *of)
{
    for (u64 end = clock_ns() + HOG_NS; clock_ns() < end;) {
        KEEP(end);
        if (of != NULL)
            loam_task_yield();
    }
}

static void sleep_in_kernel(void *of)
{
    (void)of;
    nanosleep(&(struct timespec){0, HOG_NS}, NULL);
}

static void hog(void *of)
{
    (void)of;
    loam_task_yield(); // the others have begun
    if (scene == HOG_BLOCKS)
        loam_task_block(sleep_in_kernel, NULL);
    else
        spin(scene == HOG_YIELDS ? &scene : NULL);
}

static void all(void *of)
{
    (void)of;
    bool ok = scene == NO_HOG || loam_go("hog", hog, NULL, NULL) == 0;
    for (u32 i = 0; i < TICKERS; i++)
        ok &= loam_go("ticker", ticker, NULL, NULL) == 0;
    if (!ok)
        die("lab: no task could be started", NULL);
}

static double worst_ms(int which)
{
    scene = which;
    worst_ns = 0;
    if (loam_task_run(NULL, all, NULL) != 0)
        die("lab: tasks do not run", NULL);
    return (double)worst_ns * 1e-6;
}

static void run(struct lab *l)
{
    double none = worst_ms(NO_HOG), hogged = worst_ms(HOG);
    double yields = worst_ms(HOG_YIELDS), blocks = worst_ms(HOG_BLOCKS);
    lab_table(l, "the longest wait of ten tasks for their turn", "one task|ms");
    lab_row(l, "does nothing|%.3f", none);
    lab_row(l, "computes for 30 ms|%.3f", hogged);
    lab_row(l, "computes, and yields meanwhile|%.3f", yields);
    lab_row(l, "waits in the kernel by loam_task_block|%.3f", blocks);
    lab_exact(l, "worst_wait_ms", hogged, "ms");
    lab_check(l, "hog_blocks_all", hogged >= 30, "they waited %.1f ms for one that computes for 30",
              hogged);
    lab_check(l, "block_helps", blocks < hogged, "%.3f ms when it waits in a helper thread",
              blocks);
}

static const struct claim claims[] = {
    {S3, "topic 6", "a task that never yields", "blocks all others", "hog_blocks_all", 0, 0, NULL},
};

LAB_EXPERIMENT(E6) = {
    .question = "What do cooperative tasks do while one of them computes?",
    .prediction = "They wait: nobody takes the processor from a task, as the timer does from a "
                  "process (E5).",
    .method = "Ten tasks on one thread want their turn again and again and note the longest wait. "
              "An eleventh does nothing, computes for 30 ms, computes and yields, or waits in the "
              "kernel for as long by loam_task_block.",
    .look = "The wait is the length of the computation, to the millisecond. Yielding cures it for "
            "code that computes, a helper thread for code that blocks.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
