// A pointer to the middle of 50 MB.
// dies: free: not the start of a block
#include "misuse.h"

int main(void)
{
    char *p = malloc(50 << 20);
    free(accused(p + (25 << 20)));
    return 0;
}
