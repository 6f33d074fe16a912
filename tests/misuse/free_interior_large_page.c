// A pointer to a later page of a large block.
// dies: free: not the start of a block
#include "misuse.h"

int main(void)
{
    char *p = malloc(100000);
    free(accused(p + 65536));
    return 0;
}
