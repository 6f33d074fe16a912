// Buffers are held by their start and by a pointer to their end, as C++ vectors are. What the heap
// laid behind them is lost all the same.
// total: 20 * 64 bytes
#include "leak.h"

static char *start[20], *end[20];

static apart void work(void)
{
    for (int i = 0; i < 20; i++) {
        start[i] = memset(malloc(64), 1, 64);
        end[i] = start[i] + 64;
        lose(malloc(64), 64); // lost
    }
}

int main(void)
{
    work();
    scrub();
    opaque(start);
    opaque(end);
    return 0;
}
