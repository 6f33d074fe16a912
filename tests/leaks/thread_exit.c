// A thread calls exit while main waits for it.
// total: 444 bytes
#include "leak.h"
#include <pthread.h>

static apart void forget(void)
{
    lose(malloc(444), 444); // lost
}

static void *work(void *arg)
{
    forget();
    scrub();
    exit(arg != NULL);
}

int main(void)
{
    void *volatile kept = malloc(2000);
    opaque(kept);
    pthread_t t;
    pthread_create(&t, NULL, work, NULL);
    pthread_join(t, NULL);
    return kept == NULL;
}
