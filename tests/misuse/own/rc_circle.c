// Two objects hold each other, and a third hangs on them. A right pair is not told.
// debug: rc: a circle of references keeps itself alive
// then: makes_family
// line: \+8 refers to struct child, .*rc_circle.c:30
// object: make the reference at \+16 of the struct child, .*rc_circle.c:30 weak
#include <loam/rc.h>
struct child;
struct parent {
    int x;
    struct child *first;
};
struct child {
    int x, y, z;
    struct parent *up;
    struct parent *other;
};
struct good {
    struct good *down;
    loam_weak(struct good) up;
};
static struct good *global;
static void good_drop(struct good *g)
{
    loam_rc_drop(g->down);
    loam_weak_clear(&g->up);
}
__attribute__((noipa)) static void makes_family(void)
{
    struct parent *p = loam_rc_new(struct parent, NULL, .x = 1);
    struct child *c = loam_rc_new(struct child, NULL, .x = 1);
    c->other = loam_rc_new(struct parent, NULL, .x = 2);
    c->up = loam_rc_ref(p);
    p->first = c;
    loam_rc_drop(p);
}
__attribute__((noipa)) static void makes_good(void)
{
    global = loam_rc_new(struct good, good_drop);
    global->down = loam_rc_new(struct good, good_drop);
    loam_weak_set(&global->down->up, global);
}
int main(void)
{
    makes_good();
    makes_family();
    return 0;
}
