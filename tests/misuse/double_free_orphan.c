// A block whose owner has ended, freed twice by the main thread.
// dies: free: block was already freed
#include "misuse.h"

static void *make(void *unused)
{
    (void)unused;
    static void *kept[200];
    for (int i = 0; i < 200; i++)
        kept[i] = malloc(100);
    return kept[100];
}

int main(void)
{
    pthread_t t;
    void *p;
    pthread_create(&t, NULL, make, NULL);
    pthread_join(t, &p);
    free(accused(p));
    free(opaque(p));
    return 0;
}
