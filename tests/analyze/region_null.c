// NULL for a region.
// gcc: null-argument
// clang: Null pointer passed to 1st parameter
#include <loam/region.h>
int null(int which)
{
    loam_region here, *r = which ? &here : NULL;
    loam_region_init(&here, "here");
    loam_region_clear(r);
    loam_region_done(&here);
    return which;
}
