// A string literal.
// dies: free: not a block of this heap
#include "misuse.h"

int main(void)
{
    free(accused((void *)"literal"));
    return 0;
}
