// Plain counts used by another thread than the one that made the object.
// debug: rc: plain counts are used by a second thread; loam_arc_new counts for several
// first: makes_it
// then: another
// object: struct a, .*rc_thread.c:14
#include <loam/rc.h>
#include <pthread.h>
struct a {
    int x;
};
static struct a *volatile hidden;
__attribute__((noipa)) static void makes_it(void)
{
    hidden = loam_rc_new(struct a, NULL, .x = 1);
}
__attribute__((noipa)) static void *another(void *arg)
{
    struct a *mine = loam_rc_ref(hidden);
    loam_rc_drop(mine);
    return arg;
}
int main(void)
{
    pthread_t t;
    makes_it();
    pthread_create(&t, NULL, another, NULL);
    pthread_join(t, NULL);
    loam_rc_unref(hidden);
    return 0;
}
