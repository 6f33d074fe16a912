// A block of an allocator value given back twice.
// gcc: double-free
// clang: Attempt to free released memory
#include <loam/alloc.h>
void twice(loam_alloc a)
{
    loam_layout l = loam_layout_make(100, 1);
    char *p = loam_alloc_new_zeroed(a, l);
    loam_alloc_free(a, p, l);
    loam_alloc_free(a, p, l);
}
