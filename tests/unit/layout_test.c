// Layouts are what compilers make of structs, and nothing that overflows is valid.
#include "tests/check.h"

#include <loam/layout.h>

static bool same(loam_layout l, size_t size, size_t align)
{
    return l.size == size && l.align == align;
}

TEST(of_a_type)
{
    CHECK(same(loam_layout_of(char), 1, 1));
    CHECK(same(loam_layout_of(double), sizeof(double), _Alignof(double)));
    CHECK(loam_layout_valid(loam_layout_of(int[7])));
}

TEST(alignments_that_are_no_power_of_two_are_not_valid)
{
    for (size_t align = 0; align < 1000; align++) {
        bool power = align != 0 && (align & (align - 1)) == 0;
        CHECK(loam_layout_valid(loam_layout_make(8, align)) == power);
    }
    CHECK(!loam_layout_valid(loam_layout_make(8, (size_t)1 << 63)));
    CHECK(loam_layout_valid(loam_layout_make(8, (size_t)1 << 62)));
}

TEST(sizes_end_at_ptrdiff_max)
{
    CHECK(loam_layout_valid(loam_layout_make(PTRDIFF_MAX, 1)));
    CHECK(!loam_layout_valid(loam_layout_make((size_t)PTRDIFF_MAX + 1, 1)));
    CHECK(!loam_layout_valid(loam_layout_pad(loam_layout_make(PTRDIFF_MAX, 16))));
    CHECK(!loam_layout_valid(loam_layout_make(SIZE_MAX, 1)));
}

TEST(arrays)
{
    CHECK(same(loam_layout_array(loam_layout_of(int), 10), 40, 4));
    CHECK(same(loam_layout_array(loam_layout_make(5, 4), 3), 24, 4)); // each padded
    CHECK(same(loam_layout_array(loam_layout_of(int), 0), 0, 4));
    CHECK(!loam_layout_valid(loam_layout_array(loam_layout_of(int), SIZE_MAX / 4 + 2)));
    CHECK(!loam_layout_valid(loam_layout_array(loam_layout_of(int), SIZE_MAX / 8 + 1)));
}

// The compiler is the model.
struct mixed {
    char a;
    double b;
    short c[3];
    _Alignas(64) int d;
    char e;
};

TEST(extending_lays_out_a_struct_as_the_compiler_does)
{
    size_t b, c, d, e;
    loam_layout l = loam_layout_of(char);
    l = loam_layout_extend(l, loam_layout_of(double), &b);
    l = loam_layout_extend(l, loam_layout_array(loam_layout_of(short), 3), &c);
    l = loam_layout_extend(l, loam_layout_make(sizeof(int), 64), &d);
    l = loam_layout_extend(l, loam_layout_of(char), &e);
    l = loam_layout_pad(l);
    CHECK(b == offsetof(struct mixed, b));
    CHECK(c == offsetof(struct mixed, c));
    CHECK(d == offsetof(struct mixed, d));
    CHECK(e == offsetof(struct mixed, e));
    CHECK(same(l, sizeof(struct mixed), _Alignof(struct mixed)));
}

TEST(what_is_made_from_nothing_valid_is_not_valid)
{
    loam_layout bad = loam_layout_make(1, 3), good = loam_layout_of(int);
    size_t offset = 77;
    CHECK(!loam_layout_valid(loam_layout_pad(bad)));
    CHECK(!loam_layout_valid(loam_layout_array(bad, 2)));
    CHECK(!loam_layout_valid(loam_layout_extend(bad, good, &offset)));
    CHECK(!loam_layout_valid(loam_layout_extend(good, bad, &offset)));
    loam_layout huge = loam_layout_make(PTRDIFF_MAX - 2, 1);
    CHECK(!loam_layout_valid(loam_layout_extend(huge, good, &offset)));
    CHECK(!loam_layout_valid(loam_layout_extend(good, huge, &offset)));
    CHECK(offset == 77);
}

// Whatever the arguments: valid results keep their promises.
TEST(any_arguments)
{
    static const size_t edge[] = {
        0, 1, 2, 3, 7, 8, 16, 4096, SIZE_MAX / 4, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX};
    const size_t n = sizeof edge / sizeof edge[0];
    for (size_t i = 0; i < n * n * n * n; i++) {
        loam_layout a = loam_layout_make(edge[i % n], edge[i / n % n]);
        loam_layout b = loam_layout_make(edge[i / n / n % n], edge[i / n / n / n]);
        size_t at = 0;
        loam_layout both = loam_layout_extend(a, b, &at);
        if (!loam_layout_valid(both))
            continue;
        CHECK(at >= a.size);
        CHECK(at % b.align == 0);
        CHECK(at - a.size < b.align);
        CHECK(both.size == at + b.size);
        CHECK(both.align == (a.align > b.align ? a.align : b.align));
    }
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
