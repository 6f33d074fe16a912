// A region is cut back to a mark that an earlier cut has taken away.
// always: region: restored to a mark that is gone
// first: cuts_back
// then: cuts_again
#include <loam/region.h>
static loam_region r;
__attribute__((noipa)) static void cuts_back(loam_region_mark to)
{
    loam_region_restore(&r, to);
}
__attribute__((noipa)) static void cuts_again(loam_region_mark to)
{
    loam_region_restore(&r, to);
}
int main(void)
{
    loam_region_init(&r, "r");
    loam_region_mark before = loam_region_save(&r);
    if (loam_region_push(&r, 100000, 1) == NULL)
        return 1;
    loam_region_mark after = loam_region_save(&r);
    cuts_back(before);
    cuts_again(after);
    return 0;
}
