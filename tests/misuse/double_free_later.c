// Freed again after a thousand other blocks came and went.
// dies: free: block was already freed
#include "misuse.h"

int main(void)
{
    static void *other[1000];
    for (int i = 0; i < 1000; i++)
        other[i] = malloc(100);
    void *p = accused(other[500]);
    free(p);
    for (int i = 0; i < 1000; i += 3)
        if (i != 500)
            free(other[i]);
    free(opaque(p));
    return 0;
}
