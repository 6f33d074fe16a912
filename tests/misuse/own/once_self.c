// An initialiser that needs what it is to make.
// plain: once: the initialiser needs itself
#include <loam/once.h>
static loam_lazy(int) number;
static int makes(int *n)
{
    const int *again = loam_lazy_get(&number, makes);
    *n = again == NULL ? 1 : *again + 1;
    return 0;
}
int main(void)
{
    return loam_lazy_get(&number, makes) == NULL;
}
