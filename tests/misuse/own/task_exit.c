// A task that ends its thread, which runs the other tasks too.
// plain: pthread_exit: the thread still runs tasks; called in the task at stack
#include <loam/task.h>
#include <pthread.h>
static void first(void *arg)
{
    pthread_exit(arg);
}
int main(void)
{
    return loam_task_run(NULL, first, NULL) == 0;
}
