// A block of an allocator value that is forgotten on the way out.
// gcc: malloc-leak
// clang: Potential leak of memory
#include <loam/alloc.h>
int leak(loam_alloc a, int early)
{
    loam_layout l = loam_layout_make(100, 1);
    char *p = loam_alloc_new(a, l);
    if (p == NULL || early)
        return -1;
    p[0] = 1;
    loam_alloc_free(a, p, l);
    return 0;
}
