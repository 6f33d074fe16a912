// A destructor for another type does not compile.
//
// prints: drop 7
// prints: forgotten 1
#include <loam/box.h>
#include <stdio.h>
#include <stdlib.h>

struct a {
    int x;
};
struct b {
    int x;
};

static void a_drop(struct a *a)
{
    printf("drop %d\n", a->x);
}
static void b_drop(struct b *b)
{
    (void)b;
}

int main(void)
{
    {
        loam_auto struct a *p = loam_box_new(struct a, a_drop, .x = 7);
        if (p == NULL)
            return 1;
    }
    loam_auto struct b *q = loam_box_new(struct b, b_drop);
    struct b *forever = loam_forget(q);
    (void)forever;
    printf("forgotten %zu\n", loam_box_forgotten().boxes);
#ifdef WRONG_1
    loam_auto struct a *r = loam_box_new(struct a, b_drop); // error: not compatible with any
#endif
#ifdef WRONG_2
    loam_auto struct a *s = loam_box_new(struct a, 0); // error: not compatible with any
#endif
#ifdef WRONG_3
    free(loam_box_new(struct a, a_drop)); // gcc warns: mismatched-dealloc
#endif
#ifdef WRONG_4
    struct a *t = loam_box_new(struct a, a_drop);
    loam_box_drop(t);
    loam_box_drop(t); // gcc warns: use-after-free
#endif
#ifdef WRONG_5
    struct a *u = loam_box_new(struct a, a_drop);
    loam_move(u); // gcc warns: unused
#endif
    return 0;
}
