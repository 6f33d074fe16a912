// The old pointer of a block that realloc moved.
// dies: free: block was already freed
#include "misuse.h"

int main(void)
{
    void *p = malloc(100);
    void *old = opaque(p);
    void *q = realloc(p, 100000);
    free(accused(old));
    return q == NULL;
}
