// The same in C++, where exceptions are one more way out.
//
// prints: 2 1 caught
#include <cstdio>
#include <loam/scope.h>

static void throws()
{
    int n = 0;
    loam_defer
    {
        std::printf("%d ", n - 1);
    };
    loam_defer
    {
        std::printf("%d ", n);
    };
    n = 2;
    throw 1;
}

int main()
{
    try {
        throws();
    } catch (int) {
        std::printf("caught\n");
    }
    return 0;
}
