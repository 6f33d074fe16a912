// A block that grew by realloc many times, in place and by moving, and then was forgotten; and
// the classic p = realloc(p, n) that fails and forgets the old block.
// total: 300000 + 640 bytes
#include "leak.h"

static apart void grow(void)
{
    char *p = malloc(10);
    for (size_t n = 20; n < 300000; n *= 2)
        p = realloc(p, n);
    p = realloc(p, 300000); // lost
    lose(p, 300000);
}

static apart void fail(void)
{
    char *p = malloc(640); // lost
    memset(p, 1, 640);
    size_t absurd = (size_t)opaque((void *)(SIZE_MAX / 2));
    p = realloc(p, absurd);
    opaque(p);
}

int main(void)
{
    grow();
    fail();
    scrub();
    return 0;
}
