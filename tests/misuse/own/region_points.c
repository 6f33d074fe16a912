// A region that lives longer keeps a pointer into one that is closed.
// debug: region: a region that lives longer points into one that goes
// first: makes_cache
// then: serves
// line: region cache, made at .*, points into region request, made at
// object: struct entry, .*region_points.c:15
#include <loam/region.h>
struct entry {
    const char *text;
};
static loam_region cache;
__attribute__((noipa)) static struct entry *makes_cache(void)
{
    loam_region_init(&cache, "cache");
    return loam_new(&cache, struct entry);
}
__attribute__((noipa)) static void serves(struct entry *e)
{
    loam_scratch(request);
    e->text = loam_printf(&request, "number %d", 1);
}
int main(void)
{
    struct entry *e = makes_cache();
    if (e == NULL)
        return 1;
    serves(e);
    loam_region_done(&cache);
    return 0;
}
