// The shallow copy: two owners of one buffer, both of which free it.
// dies: free: block was already freed
#include "misuse.h"

struct Buffer {
    char *bytes;
    explicit Buffer(size_t n) : bytes(new char[n]) {}
    ~Buffer() { delete[] bytes; }
};

int main()
{
    Buffer a(300);
    accused(a.bytes);
    Buffer b(a); // the implicit copy
    return b.bytes == nullptr;
}
