// An exception passes a function that owns a block by a bare pointer.
// total: 5 * 132 bytes
#include "leak.h"
#include <stdexcept>

static apart void parse(int n)
{
    char *copy = new char[132]; // lost
    memset(opaque(copy), 1, 132);
    if (n >= 0)
        throw std::runtime_error("no such thing");
    delete[] copy;
}

int main()
{
    for (int i = 0; i < 5; i++) {
        try {
            parse(i);
        } catch (const std::exception &) {
        }
    }
    scrub();
}
