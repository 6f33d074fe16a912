// A region that is used after it was closed.
// always: region: used after it was closed
// first: closes_it
// then: pushes
#include <loam/region.h>
static loam_region r;
__attribute__((noipa)) static void closes_it(void)
{
    loam_region_done(&r);
}
__attribute__((noipa)) static void *pushes(void)
{
    return loam_region_push(&r, 10, 1);
}
int main(void)
{
    loam_region_init(&r, "r");
    if (pushes() == NULL)
        return 1;
    closes_it();
    return pushes() == NULL;
}
