// Memory from sbrk.
// dies: free: not a block of this heap
#include "misuse.h"

#include <unistd.h>

int main(void)
{
    free(accused(sbrk(4096)));
    return 0;
}
