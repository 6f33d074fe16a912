// A pointer one byte into a small block.
// dies: free: not the start of a block
#include "misuse.h"

int main(void)
{
    char *p = malloc(24);
    free(accused(p + 1));
    return 0;
}
