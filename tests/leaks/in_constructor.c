// A block lost before main, in a constructor.
// total: 66 bytes
#include "leak.h"

__attribute__((constructor)) static apart void early(void)
{
    lose(malloc(66), 66); // lost
}

int main(void)
{
    scrub();
    return 0;
}
