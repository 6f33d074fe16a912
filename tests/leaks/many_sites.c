// Two lines that allocate, reached by 256 different stacks, each losing blocks of its own size.
// total: 73472 bytes
#include "leak.h"

static apart void leaf(int bits)
{
    size_t size = 16 + (size_t)bits;
    if (bits & 1)
        lose(malloc(size), size); // lost
    else
        lose(calloc(1, size), size); // lost
}

static apart void descend(int depth, int bits)
{
    if (depth == 0)
        leaf(bits);
    else if (bits >> depth & 1)
        descend(depth - 1, bits);
    else
        descend(depth - 1, bits);
    scrub(); // keeps the calls above from becoming jumps
}

int main(void)
{
    for (int i = 0; i < 256; i++)
        descend(8, i);
    for (int i = 0; i < 256; i++)
        descend(8, i);
    scrub();
    return 0;
}
