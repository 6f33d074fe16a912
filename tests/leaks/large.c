// Blocks too large for any size class: 40,000 bytes, 300 KiB, 10 MiB, 100 MiB.
// total: 40000 + 307200 + 10485760 + 104857600 bytes
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
    take(10 << 20);
    take(100 << 20);
}

int main(void)
{
    work();
    scrub();
    return 0;
}
