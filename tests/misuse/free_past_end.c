// The address right behind the last block of a slab, where the slab has a tail.
// dies: free: not the start of a block
#include "misuse.h"

int main(void)
{
    // 16 KiB hold three blocks of 5120 bytes and a tail of 1 KiB, whatever the slab is made of.
    char *p = malloc(5000);
    uintptr_t tail = ((uintptr_t)p | 16383) - 15;
    free(accused((void *)tail));
    return 0;
}
