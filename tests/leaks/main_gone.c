// The main thread ends by pthread_exit; another thread ends the program.
// total: 150 bytes
#include "leak.h"
#include <pthread.h>

static pthread_t first;

static apart void forget(void)
{
    lose(malloc(150), 150); // lost
}

static void *work(void *arg)
{
    pthread_join(first, NULL);
    forget();
    scrub();
    return arg;
}

int main(void)
{
    pthread_t t;
    first = pthread_self();
    pthread_create(&t, NULL, work, NULL);
    pthread_exit(NULL);
}
