// Four threads lose a block each and end before the program does.
// total: 1280 bytes
#include "leak.h"
#include <pthread.h>

static apart void *work(void *arg)
{
    lose(malloc(320), 320); // lost
    return arg;
}

int main(void)
{
    for (int i = 0; i < 4; i++) {
        pthread_t t;
        pthread_create(&t, NULL, work, NULL);
        pthread_join(t, NULL);
    }
    scrub();
    return 0;
}
