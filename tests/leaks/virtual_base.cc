// Objects held by a pointer to their second base class, which points into the middle: not lost.
// The one whose pointer is overwritten is, with what it owns.
// total: 48 + 30 bytes
#include "leak.h"

struct First {
    virtual ~First() {}
    long a = 1;
};

struct Second {
    virtual ~Second() {}
    long b = 2;
};

struct Both : First, Second {
    char *owned;
    long c = 3;
    Both()
    {
        owned = new char[30](); // behind
    }
    ~Both() override { delete[] owned; }
};

static Second *held[2];

static apart void work(int i)
{
    held[i] = new Both; // lost
}

int main()
{
    work(0);
    work(1);
    work(1);
    scrub();
    opaque(held);
}
