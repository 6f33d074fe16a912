// realloc of a local variable.
// dies: realloc: not a live block
#include "misuse.h"

int main(void)
{
    char local[64] = "";
    return realloc(accused(local), 200) == NULL;
}
