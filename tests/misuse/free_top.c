// The last address there is.
// dies: free: not a block of this heap
#include "misuse.h"

int main(void)
{
    free(accused((void *)UINTPTR_MAX));
    return 0;
}
