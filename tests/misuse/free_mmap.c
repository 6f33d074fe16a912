// A mapping of the program's own.
// dies: free: not a block of this heap
#include "misuse.h"
#include <sys/mman.h>

int main(void)
{
    void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    free(accused(p));
    return 0;
}
