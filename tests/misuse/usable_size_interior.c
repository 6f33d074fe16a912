// malloc_usable_size of a pointer into a block.
// dies: malloc_usable_size: not a live block
#include "misuse.h"

int main(void)
{
    char *p = malloc(100);
    return malloc_usable_size(accused(p + 8)) == 0;
}
