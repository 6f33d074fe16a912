// A box dropped twice.
// gcc: double-free
// clang: Attempt to free released memory
#include <loam/box.h>
struct a {
    int x;
};
void twice(struct a *p)
{
    loam_box_drop(p);
    loam_box_drop(p);
}
