// malloc_usable_size of a freed block.
// dies: malloc_usable_size: not a live block
#include "misuse.h"

int main(void)
{
    void *p = malloc(100);
    free(accused(p));
    return malloc_usable_size(opaque(p)) == 0;
}
