// Two blocks that point at each other, and at nothing else does anything point.
// total: 128 bytes
#include "leak.h"

static apart void work(void)
{
    void **a = calloc(8, 8); // lost
    void **b = calloc(8, 8); // lost
    a[0] = b;
    b[3] = a;
    opaque(a);
}

int main(void)
{
    work();
    scrub();
    return 0;
}
