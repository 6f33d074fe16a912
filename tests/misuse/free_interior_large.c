// A pointer into the first page of a large block.
// dies: free: not the start of a block
#include "misuse.h"

int main(void)
{
    char *p = malloc(100000);
    free(accused(p + 64));
    return 0;
}
