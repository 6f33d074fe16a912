// A pointer into a block of another thread.
// dies: free: not the start of a block
#include "misuse.h"

int main(void)
{
    char *p = malloc(100);
    in_thread(free_it, accused(p + 32));
    return 0;
}
