// A box that nobody drops on one of two ways.
// gcc: malloc-leak
#include <loam/box.h>
struct a {
    int x;
};
int wrong(void)
{
    struct a *p = loam_box_new(struct a, NULL, .x = 1);
    return p == NULL ? 1 : p->x;
}
