// A box that may be NULL, and is used as if it could not.
// gcc: null-dereference
#include <loam/box.h>
struct a {
    int x;
};
int wrong(void)
{
    loam_auto struct a *p = loam_box_new(struct a, NULL, .x = 1);
    return p->x;
}
