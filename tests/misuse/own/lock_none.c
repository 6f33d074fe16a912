// A lock that nobody made ready.
// plain: mutex: not initialised, or done
#include <loam/mutex.h>
static loam_mutex(int) a;
int main(void)
{
    loam_with (&a, x)
        ++*x;
    return 0;
}
