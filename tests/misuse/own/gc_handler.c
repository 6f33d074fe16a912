// A signal handler that uses a collected heap, in a thread that was using it: here, in a finalizer
// table's growth and a thousand other places, until it comes upon one where the heap is locked.
// plain: gc: a signal handler uses a heap that it interrupted
#include <loam/gc.h>
#include <signal.h>
#include <sys/time.h>
static loam_gc *gc;
static void on_alarm(int number)
{
    (void)number;
    loam_gc_start(gc, gc);
}
int main(void)
{
    struct itimerval often = {{0, 200}, {0, 200}};
    gc = loam_gc_new("handled", NULL);
    if (gc == NULL)
        return 1;
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &often, NULL);
    for (;;)
        loam_gc_start(gc, &gc);
}
