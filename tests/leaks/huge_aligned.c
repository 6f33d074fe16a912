// A block aligned to 1 GiB.
// total: 5000 bytes
// memcheck: takes alignments up to 16 MiB only
#include "leak.h"

static apart void work(void)
{
    void *p = aligned_alloc((size_t)1 << 30, 5000); // lost
    if (((uintptr_t)p & (((uintptr_t)1 << 30) - 1)) != 0 || p == NULL)
        exit(1);
    lose(p, 5000);
}

int main(void)
{
    work();
    scrub();
    return 0;
}
