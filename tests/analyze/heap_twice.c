// A block freed twice.
// gcc: double-free
// clang: Attempt to free released memory
#include <loam/heap.h>
void twice(size_t n)
{
    char *p = loam_malloc(n);
    loam_free(p);
    loam_free(p);
}
