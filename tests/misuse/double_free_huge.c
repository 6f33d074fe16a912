// 50 MB, freed twice.
// dies: free: block was already freed, or never was one
#include "misuse.h"

int main(void)
{
    void *p = malloc(50 << 20);
    free(accused(p));
    free(opaque(p));
    return 0;
}
