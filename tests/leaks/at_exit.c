// Blocks that die late: the handler frees one that main held, and so does a destructor; another
// handler and another destructor lose one each.
// total: 190 + 290 bytes
#include "leak.h"

static void *first, *second;

static apart void lose_in_handler(void)
{
    lose(malloc(190), 190); // lost
}

static void handler(void)
{
    free(first);
    first = NULL;
    lose_in_handler();
    scrub();
}

static apart void lose_in_destructor(void)
{
    lose(malloc(290), 290); // lost
}

__attribute__((destructor)) static void destructor(void)
{
    free(second);
    second = NULL;
    lose_in_destructor();
    scrub();
}

static apart void work(void)
{
    first = malloc(1000);
    second = malloc(2000);
}

int main(void)
{
    atexit(handler);
    work();
    scrub();
    return 0;
}
