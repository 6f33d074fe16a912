// Blocks that nothing points to.
// total: 348 bytes
#include "leak.h"

static apart void work(void)
{
    lose(malloc(48), 48);   // lost
    lose(malloc(100), 100); // lost
    lose(malloc(200), 200); // lost
}

int main(void)
{
    work();
    scrub();
    return 0;
}
