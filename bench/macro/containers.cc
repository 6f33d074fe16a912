// containers: C++'s maps, lists, strings and vectors, as much of everyday C++ uses them.
//
// Words are drawn, counted in a tree and in a hash table, indexed by length, and forgotten again by
// age. Nodes of 40 to 100 bytes, strings just above what fits inside themselves, and vectors that
// double, all through operator new and sized delete.

#include "bench.h"

#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace
{

std::string word(rng &r)
{
    static const char *const syllable[] = {"lo", "am", "hea", "pa", "win", "dow", "bit", "map"};
    std::string w;
    for (size_t i = 0, n = rng_between(&r, 2, 12); i < n; i++)
        w += syllable[rng_below(&r, 8)];
    return w;
}

struct entry {
    std::string text;
    std::vector<unsigned> places;
};

struct word_index {
    std::map<std::string, std::shared_ptr<entry>> sorted;
    std::unordered_map<std::string, std::shared_ptr<entry>> hashed;
    std::list<std::string> by_age;

    void add(const std::string &w, unsigned place)
    {
        std::shared_ptr<entry> &e = hashed[w];
        if (!e) {
            e = std::make_shared<entry>();
            e->text = w;
            sorted[w] = e;
            by_age.push_back(w);
        }
        e->places.push_back(place);
    }

    size_t forget_oldest()
    {
        std::string w = by_age.front();
        by_age.pop_front();
        size_t n = hashed[w]->places.size();
        check(sorted.at(w)->text == w);
        hashed.erase(w);
        sorted.erase(w);
        return n;
    }
};

} // namespace

int main(int argc, char **argv)
{
    struct bench b = {};
    b.threads = 1;
    b = bench_args(argc, argv, b);
    rng r = rng_seeded(97);
    word_index all;
    size_t n = scaled(&b, 500e3), forgotten = 0;
    for (size_t i = 0; i < n; i++) {
        all.add(word(r), static_cast<unsigned>(i));
        while (all.by_age.size() > 30000)
            forgotten += all.forget_oldest();
    }
    while (!all.by_age.empty())
        forgotten += all.forget_oldest();
    check(forgotten == n);
    puts("every word was forgotten again");
    return 0;
}
