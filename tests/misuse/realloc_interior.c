// realloc of a pointer into a block.
// dies: realloc: not a live block
#include "misuse.h"

int main(void)
{
    char *p = malloc(100);
    return realloc(accused(p + 16), 200) == NULL;
}
