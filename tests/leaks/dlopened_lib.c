// The library of dlopened.c and dlclosed.c.
#include "leak.h"

void work(void);
static void *kept;

static apart void forget(void)
{
    lose(malloc(96), 96); // lost
}

static apart void keep(void)
{
    kept = malloc(704); // lost-when-closed
    memset(kept, 1, 704);
    opaque(&kept);
}

void work(void)
{
    forget();
    keep();
}
