// Freed by two threads, neither of which is its owner.
// dies: free: block was already freed (by another thread)
#include "misuse.h"

int main(void)
{
    void *p = malloc(100);
    in_thread(free_it, accused(p));
    in_thread(free_it, opaque(p));
    return 0;
}
