// A local variable.
// dies: free: not a block of this heap
#include "misuse.h"

int main(void)
{
    char local[64] = "";
    free(accused(local));
    return 0;
}
