// Freed by its owner, and then by another thread; the owner finds out when it next looks at what
// others have freed.
// dies: free: block was already freed (by another thread)
#include "misuse.h"

int main(void)
{
    static void *block[3000];
    for (int i = 0; i < 3000; i++)
        block[i] = malloc(100);
    free(accused(block[10]));
    in_thread(free_it, opaque(block[10]));
    for (int i = 0; i < 100000; i++)
        if (malloc(100) == NULL)
            return 1;
    return 0;
}
