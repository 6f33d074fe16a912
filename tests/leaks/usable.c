// A program may use all that malloc_usable_size tells, also behind what it asked for: what is held
// from there is held.
// total: 48 bytes
#include "leak.h"
#include <malloc.h>

static void **held;

static apart void work(void)
{
    held = malloc(200);
    size_t n = malloc_usable_size(held) / sizeof *held;
    memset(held, 0, n * sizeof *held);
    held[n - 1] = memset(malloc(100), 1, 100);
    lose(malloc(48), 48); // lost
}

int main(void)
{
    work();
    scrub();
    opaque(held);
    return 0;
}
