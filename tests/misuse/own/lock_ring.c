// Three locks in a ring of orders: a before b, b before c, c before a.
// debug: mutex: two locks are taken in both orders
// first: a_then_b
// then: c_then_a
#include <loam/mutex.h>
static loam_mutex(int) a, b, c;
__attribute__((noipa)) static void a_then_b(void)
{
    loam_with (&a, x)
        loam_with (&b, y)
            *x += *y;
}
__attribute__((noipa)) static void b_then_c(void)
{
    loam_with (&b, x)
        loam_with (&c, y)
            *x += *y;
}
__attribute__((noipa)) static void c_then_a(void)
{
    loam_with (&c, x)
        loam_with (&a, y)
            *x += *y;
}
int main(void)
{
    loam_mutex_init(&a);
    loam_mutex_init(&b);
    loam_mutex_init(&c);
    a_then_b();
    b_then_c();
    c_then_a();
    return 0;
}
