// A lost object with a string, a vector and a map inside: their memory is lost behind it.
// total: 104 + 101 + 4000 + 3 * 40 bytes
#include "leak.h"
#include <map>
#include <string>
#include <vector>

struct Record {
    std::string name;
    std::vector<int> numbers;
    std::map<int, int> index;
};
static_assert(sizeof(Record) == 104, "the total above counts on it");

static apart void work()
{
    auto *r = new Record;     // lost
    r->name.assign(100, 'x'); // behind
    r->numbers.resize(1000);  // behind
    for (int i = 0; i < 3; i++)
        r->index[i] = i; // behind
    opaque(r);
}

int main()
{
    work();
    scrub();
}
