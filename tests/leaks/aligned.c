// Every way to ask for an alignment.
// total: 1000 + 2048 + 500 + 300 + 123 + 4096 bytes
#include "leak.h"
#include <malloc.h>

static apart void by_posix(size_t align, size_t size)
{
    void *p = NULL;
    if (posix_memalign(&p, align, size) == 0) // lost
        lose(p, size);
}

static apart void work(void)
{
    by_posix(64, 1000);
    by_posix(4096, 2048);
    lose(aligned_alloc(32, 500), 500);      // lost
    lose(memalign(1024, 300), 300);         // lost
    lose(valloc(123), 123);                 // lost
    lose(aligned_alloc(65536, 4096), 4096); // lost
}

int main(void)
{
    work();
    scrub();
    return 0;
}
