// Values of a pthread key hold blocks: the main thread's and a running thread's are not lost. A
// key without a destructor loses the value of a thread that ends.
// total: 210 bytes
#include "leak.h"
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

static pthread_key_t key, late;
static sem_t ready;

static apart void hold(pthread_key_t k, size_t size)
{
    void *p = malloc(size); // lost
    memset(p, 1, size);
    pthread_setspecific(k, p);
}

static void *stays(void *arg)
{
    hold(key, 310);
    hold(late, 320);
    scrub();
    sem_post(&ready);
    for (;;)
        pause();
    return arg;
}

static void *ends(void *arg)
{
    hold(key, 210);
    pthread_setspecific(key, NULL);
    return arg;
}

int main(void)
{
    pthread_t a, b;
    sem_init(&ready, 0, 0);
    pthread_key_create(&key, NULL);
    for (int i = 0; i < 100; i++) // beyond the first 32, libc keeps values in blocks of its own
        pthread_key_create(&late, NULL);
    hold(key, 110);
    hold(late, 120);
    pthread_create(&a, NULL, stays, NULL);
    while (sem_wait(&ready) != 0)
        ;
    pthread_create(&b, NULL, ends, NULL);
    pthread_join(b, NULL);
    scrub();
    return 0;
}
