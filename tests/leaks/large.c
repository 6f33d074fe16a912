// Blocks too large for any size class: 40,000 bytes, 300 KiB, 1 MiB.
// total: 40000 + 307200 + 1048576 bytes
#include "leak.h"

static apart void *take(size_t size)
{
    char *p = malloc(size); // lost
    p[0] = p[size - 1] = 1;
    return opaque(p);
}

static apart void work(void)
{
    take(40000);
    take(300 << 10);
    take(1 << 20);
}

int main(void)
{
    work();
    scrub();
    return 0;
}
