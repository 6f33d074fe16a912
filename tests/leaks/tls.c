// Variables of the main thread and of running threads hold a block each; one variable died with its
// thread, and the next thread, which gets the same stack from libc, has written over it.
// total: 333 bytes
#include "leak.h"
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

static __thread void *mine;
static sem_t ready;

static apart void hold(size_t size)
{
    mine = malloc(size); // lost
    memset(mine, 1, size);
    opaque(&mine);
}

static void *stays(void *arg)
{
    hold(*(size_t *)arg);
    scrub();
    sem_post(&ready);
    for (;;)
        pause();
    return arg;
}

static void *ends(void *arg)
{
    hold(333);
    return arg;
}

static void start_one_that_stays(size_t size)
{
    pthread_t t;
    pthread_create(&t, NULL, stays, &size);
    while (sem_wait(&ready) != 0)
        ;
}

int main(void)
{
    pthread_t dies;
    sem_init(&ready, 0, 0);
    hold(111);
    start_one_that_stays(555);
    pthread_create(&dies, NULL, ends, NULL);
    pthread_join(dies, NULL);
    start_one_that_stays(666);
    scrub();
    return 0;
}
