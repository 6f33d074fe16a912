// A channel that is given back while a task waits in it.
// plain: loam_chan_free: a task still waits in the channel
#include <loam/task.h>
static void waits(void *chan)
{
    loam_chan_recv(chan, &(int){0});
}
static void first(void *unused)
{
    (void)unused;
    loam_chan *c = loam_chan_new(sizeof(int), 0);
    if (loam_go("waits", waits, c, NULL) == 0 && loam_task_yield() == 0)
        loam_chan_free(c);
}
int main(void)
{
    return loam_task_run(NULL, first, NULL) == 0;
}
