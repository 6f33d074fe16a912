// NULL plus one, the classic of a missing check.
// dies: free: not a block of this heap
#include "misuse.h"

int main(void)
{
    free(accused((void *)1));
    return 0;
}
