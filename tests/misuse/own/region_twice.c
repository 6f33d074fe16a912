// A region that is closed twice.
// always: region: closed twice
// first: closes_it
// then: closes_again
#include <loam/region.h>
static loam_region r;
__attribute__((noipa)) static void closes_it(void)
{
    loam_region_done(&r);
}
__attribute__((noipa)) static void closes_again(void)
{
    loam_region_done(&r);
}
int main(void)
{
    loam_region_init(&r, "r");
    if (loam_region_push(&r, 10, 1) == NULL)
        return 1;
    closes_it();
    closes_again();
    return 0;
}
