// A thread ends inside of a lock; the next one is told where it was taken.
// always: mutex: poisoned: a thread ended while it held it
// first: dies_inside
// then: main
#include <loam/mutex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
static loam_mutex(int) a;
__attribute__((noipa)) static void *dies_inside(void *arg)
{
    loam_with (&a, x)
        pthread_exit(arg);
    return arg;
}
int main(void)
{
    pthread_t t;
    loam_mutex_init(&a);
    pthread_create(&t, NULL, dies_inside, NULL);
    pthread_join(t, NULL);
    loam_with (&a, x)
        ++*x;
    return 0;
}
