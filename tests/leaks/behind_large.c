// Small blocks that only a lost large block points to, from its last word; and small blocks that
// a large block holds which itself is held.
// total: 4194304 + 64 bytes
#include "leak.h"

static void *kept;

static apart void *wide(size_t size)
{
    void **p = calloc(1, size); // lost
    void *small = malloc(64);   // behind
    memset(small, 1, 64);
    p[size / 8 - 1] = small;
    return opaque(p);
}

int main(void)
{
    kept = wide(2 << 20);
    wide(4 << 20);
    scrub();
    opaque(&kept);
    return 0;
}
