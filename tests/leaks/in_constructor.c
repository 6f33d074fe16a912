// A block lost before main, in a constructor.
// total: 66 bytes
#include "leak.h"

static apart void forget(void)
{
    lose(malloc(66), 66); // lost
}

__attribute__((constructor)) static void early(void)
{
    forget();
    scrub();
}

int main(void)
{
    scrub();
    return 0;
}
