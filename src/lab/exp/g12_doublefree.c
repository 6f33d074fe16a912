// G12 doublefree: giving back what was given back.

#include "lab/lab.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static void free_twice(void)
{
    char *p = malloc(40);
    char *again = p;
    UNKNOWN(again); // gcc would warn, and it is right
    free(p);
    free(again);
}

// Another block is freed in between, so that the first is not the newest free one any more.
static void free_in_turn(void)
{
    char *a = malloc(40), *b = malloc(40), *again = a;
    UNKNOWN(again);
    free(a);
    free(b);
    free(again);
}

static void witness(u32 which)
{
    if (which == 0)
        free_twice();
    else
        free_in_turn();
}

static void in_libc(void *of)
{
    witness(*(u32 *)of);
}

static bool told(struct lab *l, const char *heap, const char *what, struct lab_end *end)
{
    int signal = WIFSIGNALED(end->status) ? WTERMSIG(end->status) : 0;
    end->said[strcspn(end->said, "\n")] = 0;
    lab_row(l, "%s|%s|%s|%.60s", heap, what, signal == 0 ? "went on" : strsignal(signal),
            end->said);
    return signal == SIGABRT;
}

static void run(struct lab *l)
{
    const char *const what[] = {"at once", "with another in between"};
    bool libc = true, loam = true;
    struct lab_end end;
    struct lab_watched w;
    lab_table(l, "free(p); free(p)", "heap|second free|ended with|it said");
    for (u32 i = 0; i < 2; i++) {
        if (lab_child(l, in_libc, &i, 0, &end) == 0)
            libc &= told(l, "libc", what[i], &end);
        if (lab_watch_witness(l, "G12", i, &w) == 0)
            loam &= told(l, "loam", what[i], &w.end);
    }
    lab_check(l, "crashes", libc, "libc's heap %s", libc ? "aborts" : "goes on");
    lab_check(l, "loam_tells", loam, "under loam the program ends with one line, both times");
}

static const struct claim claims[] = {
    {S4, NULL, "a double free", "crash", "crashes", 0, 0, NULL},
    {S4, NULL, "a double free, on loam", "crash", "loam_tells", 0, 0, NULL},
};

LAB_EXPERIMENT(G12) = {
    .question = "What happens when a block is freed twice?",
    .prediction = "The program crashes, if it is lucky; otherwise two owners get the same block.",
    .method = "Children free a block twice, at once and with another in between: on libc's heap, "
              "and on loam, by 'loam run', whose descriptors know of each block whether it is in "
              "use.",
    .look = "Who notices, and in what words. loam names the block and the call; libc notices while "
            "the block is still in its small cache.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
    .witness = witness,
};
