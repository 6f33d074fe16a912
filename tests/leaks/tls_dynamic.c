// A variable of a dlopened library, one per thread, holds a block: not lost.
// total: 45 bytes
// library: tls_dynamic_lib.c
#include "leak.h"
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

static sem_t ready;
static void (*hold)(size_t);

static apart void forget(void)
{
    lose(malloc(45), 45); // lost
}

static void *stays(void *arg)
{
    hold(600);
    scrub();
    sem_post(&ready);
    for (;;)
        pause();
    return arg;
}

int main(int argc, char **argv)
{
    void *lib = dlopen(argv[argc - 1], RTLD_NOW);
    if (lib == NULL)
        return 1;
    hold = (void (*)(size_t))dlsym(lib, "hold");
    sem_init(&ready, 0, 0);
    hold(700);
    forget();
    pthread_t t;
    pthread_create(&t, NULL, stays, NULL);
    while (sem_wait(&ready) != 0)
        ;
    scrub();
    return 0;
}
