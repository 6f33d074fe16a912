// A thread still runs when main returns. What its stack holds is not lost, what it forgot is.
// total: 500 bytes
#include "leak.h"
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

static sem_t ready;

static apart void forget(void)
{
    lose(malloc(500), 500); // lost
}

static void *work(void *arg)
{
    forget();
    scrub();
    void *volatile kept = malloc(900);
    opaque(kept);
    sem_post(&ready);
    for (;;)
        pause();
    return kept ? arg : NULL;
}

int main(void)
{
    pthread_t t;
    sem_init(&ready, 0, 0);
    pthread_create(&t, NULL, work, NULL);
    while (sem_wait(&ready) != 0)
        ;
    scrub();
    return 0;
}
