// A box used after it was dropped.
// gcc: use-after-free
// clang: Use of memory after it is freed
#include <loam/box.h>
struct a {
    int x;
};
int after(struct a *p)
{
    loam_box_drop(p);
    return p->x;
}
