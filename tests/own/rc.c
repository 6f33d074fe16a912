// What the compiler knows about counted references.
//
// prints: 2
#include <loam/rc.h>
#include <stdio.h>

struct a {
    int x;
};
struct b {
    int x;
};
static void b_drop(struct b *b)
{
    (void)b;
}

int main(void)
{
    loam_auto_rc struct a *p = loam_rc_new(struct a, NULL, .x = 1);
    loam_auto_rc struct a *q = loam_rc_ref(p);
    loam_weak(struct b) w = {NULL};
    printf("%zu\n", loam_rc_count(q));
#ifdef WRONG_1
    p = loam_rc_new(struct a, b_drop); // error: not compatible with any
#endif
#ifdef WRONG_2
    loam_weak_set(&w, p); // error: mismatch
#endif
#ifdef WRONG_3
    printf("%d\n", w->x); // error: invalid type argument|not a pointer
#endif
#ifdef WRONG_4
    loam_rc_ref(p); // gcc warns: unused
#endif
    loam_weak_clear(&w);
    (void)b_drop;
    return 0;
}
