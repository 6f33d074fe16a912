// A lock that its holder takes once more.
// always: mutex: locked twice by one thread
// first: takes_it
// then: takes_again
#include <loam/mutex.h>
static loam_mutex(int) a;
__attribute__((noipa)) static void takes_again(void)
{
    loam_with (&a, x)
        ++*x;
}
__attribute__((noipa)) static void takes_it(void)
{
    loam_with (&a, x) {
        takes_again();
        ++*x;
    }
}
int main(void)
{
    loam_mutex_init(&a);
    takes_it();
    return 0;
}
