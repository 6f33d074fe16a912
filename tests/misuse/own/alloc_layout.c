// A block that is given back by the layout of something larger.
// plain: alloc: released by a layout that is larger than the block
#include <loam/alloc.h>
int main(void)
{
    loam_alloc a = loam_alloc_heap();
    loam_alloc_free(a, loam_alloc_new(a, loam_layout_make(16, 8)), loam_layout_make(5000, 8));
    return 0;
}
