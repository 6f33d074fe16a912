// The program ends through quick_exit; its handler loses a block, atexit's never runs.
// total: 260 bytes
#include "leak.h"

static apart void handler(void)
{
    lose(malloc(60), 60); // lost
}

static void never(void)
{
    lose(malloc(7000), 7000);
}

static apart void work(void)
{
    lose(malloc(200), 200); // lost
}

int main(void)
{
    at_quick_exit(handler);
    atexit(never);
    work();
    scrub();
    quick_exit(0);
}
