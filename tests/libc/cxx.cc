// Every operator new and delete: plain, array, nothrow, aligned, sized; what failure does.
#include "tests/check.h"

#include <cstdint>
#include <cstdlib>
#include <malloc.h>
#include <new>
#include <vector>

using std::align_val_t;
using std::nothrow;

static const size_t too_large = (size_t)PTRDIFF_MAX - 100;

static size_t opaque_size(size_t n)
{
    __asm__ volatile("" : "+r"(n));
    return n;
}

static bool aligned(const void *p, size_t to)
{
    return p != nullptr && ((uintptr_t)p & (to - 1)) == 0;
}

static bool usable(void *p, size_t n, size_t to)
{
    if (!aligned(p, to) || malloc_usable_size(p) < n)
        return false;
    memset(p, 0x5a, n);
    return true;
}

TEST(new_and_delete_of_every_kind)
{
    for (size_t n = 0; n < 200000; n = n * 2 + 1) {
        void *p = ::operator new(n);
        CHECK(usable(p, n, 16));
        ::operator delete(p);
        CHECK(usable(p = ::operator new[](n), n, 16));
        ::operator delete[](p);
        CHECK(usable(p = ::operator new(n, nothrow), n, 16));
        ::operator delete(p, nothrow);
        CHECK(usable(p = ::operator new[](n, nothrow), n, 16));
        ::operator delete[](p, nothrow);
        CHECK(usable(p = ::operator new(n), n, 16));
        ::operator delete(p, n);
        CHECK(usable(p = ::operator new[](n), n, 16));
        ::operator delete[](p, n);
    }
}

TEST(aligned_new_and_delete_of_every_kind)
{
    for (size_t to = 8; to <= 1 << 21; to *= 4) {
        auto a = align_val_t(to);
        for (size_t n = 1; n < 200000; n *= 7) {
            void *p = ::operator new(n, a);
            CHECK(usable(p, n, to));
            ::operator delete(p, a);
            CHECK(usable(p = ::operator new[](n, a), n, to));
            ::operator delete[](p, a);
            CHECK(usable(p = ::operator new(n, a, nothrow), n, to));
            ::operator delete(p, a, nothrow);
            CHECK(usable(p = ::operator new[](n, a, nothrow), n, to));
            ::operator delete[](p, a, nothrow);
            CHECK(usable(p = ::operator new(n, a), n, to));
            ::operator delete(p, n, a);
            CHECK(usable(p = ::operator new[](n, a), n, to));
            ::operator delete[](p, n, a);
        }
    }
}

TEST(delete_of_null_does_nothing)
{
    void *volatile null = nullptr;
    ::operator delete(null);
    ::operator delete[](null);
    ::operator delete(null, nothrow);
    ::operator delete(null, (size_t)8);
    ::operator delete(null, align_val_t(64));
    CHECK(null == nullptr);
}

template <typename F> static bool throws(F f)
{
    try {
        f();
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

TEST(failing_new_throws_bad_alloc)
{
    size_t n = opaque_size(too_large);
    void *p = nullptr;
    CHECK(throws([&] { p = ::operator new(n); }));
    CHECK(throws([&] { p = ::operator new[](n); }));
    CHECK(throws([&] { p = ::operator new(n, align_val_t(64)); }));
    CHECK(throws([&] { p = ::operator new[](n, align_val_t(64)); }));
    CHECK(p == nullptr);
    CHECK(throws([&] {
        std::vector<char> v;
        v.reserve(n);
    }));
}

TEST(failing_nothrow_new_returns_null)
{
    size_t n = opaque_size(too_large);
    CHECK(::operator new(n, nothrow) == nullptr);
    CHECK(::operator new[](n, nothrow) == nullptr);
    CHECK(::operator new(n, align_val_t(64), nothrow) == nullptr);
    CHECK(::operator new[](n, align_val_t(64), nothrow) == nullptr);
}

static void *volatile sink; // keeps the compiler from dropping a call of new
static int handled;

static void give_up_after_three()
{
    if (++handled == 3)
        std::set_new_handler(nullptr);
}

TEST(new_handler_is_called_until_it_gives_up)
{
    size_t n = opaque_size(too_large);
    std::set_new_handler(give_up_after_three);
    CHECK(throws([&] { sink = ::operator new(n); }));
    CHECK(handled == 3);

    handled = 0;
    std::set_new_handler(give_up_after_three);
    CHECK(::operator new[](n, nothrow) == nullptr);
    CHECK(handled == 3);
}

static void throwing_handler()
{
    throw std::bad_alloc();
}

TEST(new_handler_may_throw)
{
    size_t n = opaque_size(too_large);
    std::set_new_handler(throwing_handler);
    CHECK(throws([&] { sink = ::operator new(n); }));
    CHECK(::operator new(n, nothrow) == nullptr); // caught inside
}

TEST(mixing_with_malloc_as_programs_do)
{
    // Not allowed by the standard, done by many; it works with glibc. Must not die.
    ::operator delete(malloc(100));
    free(::operator new(100));
    free(::operator new[](100, align_val_t(256)));
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
