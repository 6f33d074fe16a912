// Variables of the main thread and of a running thread hold a block each; a third variable died
// with its thread.
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
}

static void *stays(void *arg)
{
    hold(555);
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

int main(void)
{
    pthread_t a, b;
    sem_init(&ready, 0, 0);
    hold(111);
    pthread_create(&a, NULL, stays, NULL);
    while (sem_wait(&ready) != 0)
        ;
    pthread_create(&b, NULL, ends, NULL);
    pthread_join(b, NULL);
    scrub();
    return 0;
}
