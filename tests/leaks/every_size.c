// Blocks of all size classes, and around the limits of what is noted of a size: what fits into
// 16 bits, and what is a span of its own. Of each many are held, each by its last byte; the first,
// the middle and the last are lost: on several pages of a slab, some across two of them.
// total: 3 * (1668502 + 1705993) bytes
#include "leak.h"

enum { MANY = 72, FEW = 18 };
static const size_t limits[] = {1024,  1025,   32768,  32769,  65535,  65536,
                                65537, 131071, 131072, 131073, 1048583};
static char **held[256];

static apart void take(char ***keep, size_t size)
{
    int n = size <= 1100 ? MANY : FEW;
    *keep = calloc(MANY, sizeof **keep);
    for (int i = 0; i < n; i++) {
        if (i == 0 || i == n / 2 || i == n - 1)
            lose(malloc(size), size); // lost
        else
            (*keep)[i] = (char *)opaque(calloc(1, size)) + size - 1;
    }
}

static apart void work(void)
{
    char ***keep = held;
    for (size_t size = 1; size <= 200000; size += size / 8 + 1)
        take(keep++, size);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        take(keep++, limits[i]);
}

int main(void)
{
    work();
    scrub();
    opaque(held);
    return 0;
}
