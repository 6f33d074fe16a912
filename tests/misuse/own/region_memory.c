// Memory of a region is read after the region was closed.
// fault: region: memory used after its region let it go
// first: closes_it
// then: reads_it
// line: region requests, made at .*region_memory.c:23
#include <loam/region.h>
struct a {
    int x;
};
static loam_region r;
__attribute__((noipa)) static void closes_it(void)
{
    loam_region_done(&r);
}
__attribute__((noipa)) static int reads_it(const struct a *a)
{
    return a->x;
}
int main(void)
{
    struct a *a;
    // The name and this line are told.
    loam_region_init(&r, "requests");
    a = loam_new(&r, struct a, .x = 1);
    if (a == NULL)
        return 1;
    closes_it();
    return reads_it(a);
}
