// A block of loam's heap given to libc's.
// gcc: mismatching-deallocation
#include <loam/heap.h>
#include <stdlib.h>
void stranger(size_t n)
{
    char *p = loam_malloc(n);
    free(p);
}
