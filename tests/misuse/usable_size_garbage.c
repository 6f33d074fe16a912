// malloc_usable_size of what is no block at all.
// dies: malloc_usable_size: not a live block
#include "misuse.h"

int main(void)
{
    return malloc_usable_size(accused((void *)0x1234567890)) == 0;
}
