// A variable of the program.
// dies: free: not a block of this heap
#include "misuse.h"

static char global[64];

int main(void)
{
    free(accused(global));
    return 0;
}
