// A reference that is let go once too often.
// always: rc: used after the last reference was let go
// first: lets_go
// then: lets_go_again
#include <loam/rc.h>
struct a {
    int x;
};
static void *volatile hidden;
__attribute__((noipa)) static void lets_go(void)
{
    loam_rc_unref(hidden);
}
__attribute__((noipa)) static void lets_go_again(void)
{
    loam_rc_unref(hidden);
}
int main(void)
{
    hidden = loam_rc_new(struct a, NULL, .x = 1);
    lets_go();
    lets_go_again();
    return 0;
}
