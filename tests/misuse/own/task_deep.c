// A task that goes deeper than its stack.
// words: loam: task 'parser' overflowed its stack of [0-9]+ bytes
#include <loam/task.h>
__attribute__((noinline)) static int deeper(volatile int *n)
{
    volatile int here[100] = {*n + 1};
    return *n > 100000000 ? 0 : deeper(here) + here[99];
}
static void parse(void *arg)
{
    (void)arg;
    deeper(&(volatile int){0});
}
static void first(void *arg)
{
    if (loam_go("parser", parse, arg, NULL) == 0)
        loam_task_yield();
}
int main(void)
{
    return loam_task_run(NULL, first, NULL) == 0;
}
