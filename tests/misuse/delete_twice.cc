// delete of the same object twice.
// dies: free: block was already freed
#include "misuse.h"

struct Thing {
    long a[5];
};

int main()
{
    auto *t = new Thing();
    delete static_cast<Thing *>(accused(t));
    delete static_cast<Thing *>(opaque(t));
}
