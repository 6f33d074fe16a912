// A block of 200 MiB, of which two pages were ever touched.
// total: 209715200 bytes
// memcheck: keeps its blocks at low addresses, where counters look like pointers into this one
#include "leak.h"

static apart void work(void)
{
    size_t size = 200 << 20;
    char *p = malloc(size); // lost
    p[0] = p[size - 1] = 1;
    opaque(p);
}

int main(void)
{
    work();
    scrub();
    return 0;
}
