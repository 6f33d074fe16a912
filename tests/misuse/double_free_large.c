// 100,000 bytes, freed twice.
// dies: free: block was already freed, or never was one
#include "misuse.h"

int main(void)
{
    void *p = malloc(100000);
    void *beside = malloc(100000);
    free(accused(p));
    free(opaque(p));
    return beside == NULL;
}
