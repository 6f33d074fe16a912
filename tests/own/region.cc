// Regions and allocator values in C++.
//
// prints: destroyed b a
// prints: child first
// prints: refused
// prints: 1000 in the region
// prints: 1000 on the heap
// prints: 1000 by std::pmr in the region
// prints: no more by std::pmr
#include <cstdio>
#include <loam/loam.hpp>
#include <map>
#include <memory_resource>
#include <string>
#include <vector>

struct told {
    const char *name;
    explicit told(const char *n) : name(n) {}
    ~told() { std::printf(" %s", name); }
};

template <class A> static std::size_t fill(const A &alloc)
{
    std::vector<int, A> v(alloc);
    std::map<int, int, std::less<int>,
             typename std::allocator_traits<A>::template rebind_alloc<std::pair<const int, int>>>
        m(alloc);
    for (int i = 0; i < 1000; i++) {
        v.push_back(i);
        m[i] = v[static_cast<std::size_t>(i)];
    }
    return m.size();
}

int main()
{
    std::printf("destroyed");
    {
        loam::region r{"cpp", LOAM_HERE};
        r.make<told>("a");
        r.make<told>("b");
        r.make<std::string>(1000, 'x'); // its memory would leak if it were not destroyed
        if (r.make_array<int>(100)[99] != 0)
            return 1;
    }
    std::printf("\n");
    {
        loam::region parent{"parent", LOAM_HERE};
        loam::region child{parent, "child", LOAM_HERE};
        parent.make<told>("first\n");
        std::printf("child");
    }
    try {
        loam::region r{"limited"};
        loam_region_set_limit(r.get(), 1000);
        r.make_array<char>(2000);
    } catch (const std::bad_alloc &) {
        std::printf("refused\n");
    }
    loam::region r{"containers", LOAM_HERE};
    std::printf("%zu in the region\n", fill(loam::allocator<int>(r.alloc())));
    std::printf("%zu on the heap\n", fill(loam::allocator<int>()));
    {
        loam::memory_resource resource{r.alloc()};
        std::size_t before = loam_region_used(r.get());
        std::pmr::vector<std::pmr::string> words(&resource);
        for (int i = 0; i < 1000; i++)
            words.emplace_back("a word that is too long to lie in the string itself");
        if (loam_region_used(r.get()) < before + 1000 * words[0].size())
            return 1;
        std::printf("%zu by std::pmr in the region\n", words.size());
        loam_region_set_limit(r.get(), loam_region_used(r.get()));
        try {
            words.reserve(100000);
        } catch (const std::bad_alloc &) {
            std::printf("no more by std::pmr\n");
        }
    }
    r.clear();
    return loam_region_used(r.get()) == 0 ? 0 : 1;
}
