// The commonest leak: a loop that assigns over its last pointer. Only the final block is held.
// total: 99 * 36 bytes
#include "leak.h"

static void *latest;

static apart void work(int i)
{
    latest = malloc(36); // lost
    memset(latest, i, 36);
}

int main(void)
{
    for (int i = 0; i < 100; i++)
        work(i & 1);
    scrub();
    opaque(&latest);
    return 0;
}
