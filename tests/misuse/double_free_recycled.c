// Freed again when its whole slab went back and its pages lie free.
// dies: free: block was already freed, or never was one
#include "misuse.h"

int main(void)
{
    enum { COUNT = 50000 };
    static void *all[COUNT];
    for (int i = 0; i < COUNT; i++)
        all[i] = malloc(1000);
    for (int i = 0; i < COUNT; i++)
        free(all[i]);
    malloc_trim(0);
    free(accused(all[COUNT / 2]));
    return 0;
}
