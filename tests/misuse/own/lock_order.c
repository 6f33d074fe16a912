// Two locks that one thread takes in one order, and then in the other.
// debug: mutex: two locks are taken in both orders
// first: one_way
// then: other_way
#include <loam/mutex.h>
static loam_mutex(int) a, b;
__attribute__((noipa)) static void one_way(void)
{
    loam_with (&a, x)
        loam_with (&b, y)
            *x += *y;
}
__attribute__((noipa)) static void other_way(void)
{
    loam_with (&b, y)
        loam_with (&a, x)
            *y += *x;
}
int main(void)
{
    loam_mutex_init(&a);
    loam_mutex_init(&b);
    one_way();
    other_way();
    loam_mutex_done(&a);
    loam_mutex_done(&b);
    return 0;
}
