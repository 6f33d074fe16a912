// Freed twice in a row.
// dies: free: block was already freed
#include "misuse.h"

int main(void)
{
    void *p = malloc(100);
    free(accused(p));
    free(opaque(p));
    return 0;
}
