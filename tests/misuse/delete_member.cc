// delete of a member instead of the object.
// dies: free: not the start of a block
#include "misuse.h"

struct Thing {
    long a, b, c;
};

int main()
{
    auto *t = new Thing();
    delete static_cast<long *>(accused(&t->b));
}
