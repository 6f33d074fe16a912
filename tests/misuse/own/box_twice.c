// A box that is dropped by two of its holders.
// always: box: dropped twice
// first: drops_it
// then: drops_again
#include <loam/box.h>
struct a {
    int x;
};
static void *volatile hidden;
__attribute__((noipa)) static void drops_it(void)
{
    loam_box_drop(hidden);
}
__attribute__((noipa)) static void drops_again(void)
{
    loam_box_drop(hidden);
}
int main(void)
{
    hidden = loam_box_new(struct a, NULL, .x = 1);
    drops_it();
#ifdef DEBUG
    for (int i = 0; i < 100; i++) { // its memory is not used again meanwhile
        struct a *other = loam_box_new(struct a, NULL, .x = 2);
        loam_drop(other);
    }
#endif
    drops_again();
    return 0;
}
