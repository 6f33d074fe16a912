// A lock that another thread lets go of than the one that holds it.
// plain: mutex: let go by a thread that does not hold it
#include <loam/mutex.h>
#include <pthread.h>
static loam_mutex(int) a;
static void *lets_go(void *held)
{
    loam_guard_end_(held);
    return NULL;
}
int main(void)
{
    pthread_t t;
    loam_mutex_init(&a);
    loam_guard held = loam_guard_begin_(&a.lock, false);
    return pthread_create(&t, NULL, lets_go, &held) == 0 && pthread_join(t, NULL) == 0;
}
