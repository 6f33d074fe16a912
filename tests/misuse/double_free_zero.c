// A block of zero bytes is a block: it can be freed once.
// dies: free: block was already freed
#include "misuse.h"

int main(void)
{
    void *p = malloc(0);
    free(accused(p));
    free(opaque(p));
    return 0;
}
