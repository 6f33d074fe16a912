// realloc of a freed large block.
// dies: realloc: not a live block
#include "misuse.h"

int main(void)
{
    void *p = malloc(100000);
    void *beside = malloc(100000);
    free(accused(p));
    return realloc(opaque(p), 200000) == beside;
}
