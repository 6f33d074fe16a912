// A block from aligned_alloc, freed twice.
// dies: free: block was already freed
#include "misuse.h"

int main(void)
{
    void *p = aligned_alloc(4096, 8192);
    free(accused(p));
    free(opaque(p));
    return 0;
}
