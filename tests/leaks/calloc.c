// calloc and reallocarray, and blocks of zero bytes, which are blocks too.
// total: 7 * 111 + 24 * 16 + 0 bytes
#include "leak.h"

static apart void work(void)
{
    lose(calloc(7, 111), 777);             // lost
    lose(reallocarray(NULL, 24, 16), 384); // lost
    opaque(malloc(0));                     // lost
}

int main(void)
{
    work();
    scrub();
    return 0;
}
