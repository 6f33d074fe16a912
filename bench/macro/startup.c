// startup: what an allocator costs a program that hardly allocates.
//
// one: a process that takes one block and prints its resident memory: the floor of every process.
// many, the default: it starts itself 400 times as `one`, as a build or a shell script starts
// programs.

#include "bench.h"

#include <spawn.h>
#include <sys/wait.h>

static int one(void)
{
    char *p = take(100);
    memset(p, 1, 100);
    metric("resident", (double)resident() / 1e6, "MB");
    free(p);
    return 0;
}

static void start_one(char *self)
{
    extern char **environ;
    char mode[] = "quiet";
    char *argv[] = {self, mode, NULL};
    pid_t child;
    int status;
    check(posix_spawn(&child, self, NULL, NULL, argv, environ) == 0);
    check(waitpid(child, &status, 0) == child && status == 0);
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1, .mode = "many"});
    char self[] = "/proc/self/exe";
    if (strcmp(b.mode, "quiet") == 0) {
        free(take(100));
        return 0;
    }
    if (strcmp(b.mode, "one") == 0)
        return one();
    for (size_t i = 0, n = scaled(&b, 400); i < n; i++)
        start_one(self);
    puts("all started and ended");
    return 0;
}
