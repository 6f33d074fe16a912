// A box that is dropped after it was forgotten.
// always: box: used as a box after it was forgotten
// first: forgets_it
// then: drops_it
#include <loam/box.h>
struct a {
    int x;
};
static struct a *volatile hidden;
__attribute__((noipa)) static void forgets_it(struct a *p)
{
    hidden = loam_forget(p);
}
__attribute__((noipa)) static void drops_it(void)
{
    loam_box_drop(hidden);
}
int main(void)
{
    forgets_it(loam_box_new(struct a, NULL, .x = 1));
    drops_it();
    return 0;
}
