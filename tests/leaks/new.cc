// new, new[], new with an alignment, nothrow new: one block each is lost.
// total: 8 + 400 + 256 + 72 bytes
#include "leak.h"
#include <new>

struct alignas(128) Wide {
    char bytes[256];
};

struct Nine {
    char bytes[72];
};

static apart void work()
{
    opaque(new long(7));               // lost
    opaque(new int[100]());            // lost
    opaque(new Wide());                // lost
    opaque(new (std::nothrow) Nine()); // lost
}

int main()
{
    work();
    scrub();
}
