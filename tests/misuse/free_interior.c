// A pointer 16 bytes into a small block.
// dies: free: not the start of a block
#include "misuse.h"

int main(void)
{
    char *p = malloc(100);
    free(accused(p + 16));
    return 0;
}
