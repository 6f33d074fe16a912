// An address that no process can have.
// dies: free: not a block of this heap
#include "misuse.h"

int main(void)
{
    free(accused((void *)0x4141414141414140));
    return 0;
}
