// Two objects that share each other: std::shared_ptr counts, and counts never fall to zero.
// total: 2 * (16 + 80) bytes
#include "leak.h"
#include <memory>

struct Person {
    std::shared_ptr<Person> friend_;
    long age[8] = {};
};

static apart void work()
{
    auto a = std::make_shared<Person>(); // lost
    auto b = std::make_shared<Person>(); // lost
    a->friend_ = b;
    b->friend_ = a;
    opaque(a.get());
}

int main()
{
    work();
    scrub();
}
