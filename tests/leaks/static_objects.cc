// Objects with static storage clean up after main: nothing of theirs is lost, although the blocks
// they own are reachable by nobody once their destructors ran.
// total: 0 bytes
#include "leak.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

static std::map<std::string, std::vector<int>> table;
static std::unique_ptr<std::string> text;
static thread_local std::vector<long> mine;

int main()
{
    for (int i = 0; i < 50; i++)
        table[std::to_string(i) + " and a long tail behind"].assign(i, i);
    text = std::make_unique<std::string>(200, 'x');
    mine.resize(1000);
    opaque(mine.data());
}
