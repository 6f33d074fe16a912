// A block of loam's heap that nobody frees.
// gcc: malloc-leak
// clang: Potential leak of memory
#include <loam/heap.h>
int wrong(void)
{
    char *p = loam_malloc(100);
    if (p == NULL)
        return 1;
    p[0] = 1;
    return p[0];
}
