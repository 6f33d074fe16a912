// An array of objects with destructors: the program's pointer points behind the count that the
// compiler keeps in front. Held by such a pointer it is not lost; dropped it is.
// total: 8 + 10 * 24 bytes
#include "leak.h"

struct Loud {
    long a[3];
    ~Loud() { opaque(a); }
};

static Loud *kept;

static apart void work()
{
    opaque(new Loud[10]()); // lost
    kept = new Loud[20]();
}

int main()
{
    work();
    scrub();
    opaque(&kept);
}
