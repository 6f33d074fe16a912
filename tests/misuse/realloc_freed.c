// realloc of a freed block.
// dies: realloc: not a live block
#include "misuse.h"

int main(void)
{
    void *p = malloc(100);
    free(accused(p));
    return realloc(opaque(p), 200) == NULL;
}
