// The program ends through _exit: no destructor runs, and what main's frames hold is held.
// total: 77 bytes
#include "leak.h"
#include <unistd.h>

static apart void forget(void)
{
    lose(malloc(77), 77); // lost
}

int main(void)
{
    void *volatile kept = malloc(1000);
    opaque(kept);
    forget();
    scrub();
    _exit(kept == NULL);
}
