// The end of a lock that is held.
// always: mutex: done while it is locked
// first: takes_it
// then: ends_it
#include <loam/mutex.h>
static loam_mutex(int) a;
__attribute__((noipa)) static void ends_it(void)
{
    loam_mutex_done(&a);
}
__attribute__((noipa)) static void takes_it(void)
{
    loam_with (&a, x) {
        ends_it();
        ++*x;
    }
}
int main(void)
{
    loam_mutex_init(&a);
    takes_it();
    return 0;
}
