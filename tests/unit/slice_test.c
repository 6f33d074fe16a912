// Slices and bytes: every bound is checked, and splitting loses nothing.
#include "tests/check.h"

#include <loam/slice.h>

TEST(bytes_are_cut_and_compared)
{
    loam_bytes b = loam_bytes_text("hello");
    CHECK(b.len == 5);
    CHECK(loam_bytes_at(b, 4) == 'o');
    CHECK(loam_bytes_equal(loam_bytes_cut(b, 1, 3), loam_bytes_text("el")));
    CHECK(loam_bytes_cut(b, 5, 5).len == 0);
    CHECK(loam_bytes_begins(b, loam_bytes_text("he")));
    CHECK(!loam_bytes_begins(b, loam_bytes_text("hello!")));
    CHECK(loam_bytes_equal(loam_bytes_of(NULL, 0), loam_bytes_text("")));
    CHECK(loam_bytes_cut(loam_bytes_of(NULL, 0), 0, 0).len == 0);
}

// The slow and simple search is the model.
static size_t find_slowly(loam_bytes b, loam_bytes needle)
{
    for (size_t i = 0; i + needle.len <= b.len; i++)
        if (loam_bytes_begins(loam_bytes_cut(b, i, b.len), needle))
            return i;
    return SIZE_MAX;
}

TEST(find_agrees_with_the_model)
{
    srand(1);
    for (int round = 0; round < 20000; round++) {
        char hay[20], pin[5];
        for (int i = 0; i < 20; i++)
            hay[i] = (char)('a' + rand() % 2);
        for (int i = 0; i < 5; i++)
            pin[i] = (char)('a' + rand() % 2);
        loam_bytes b = loam_bytes_of(hay, (size_t)rand() % 21);
        loam_bytes needle = loam_bytes_of(pin, (size_t)rand() % 6);
        CHECK(loam_bytes_find(b, needle) == find_slowly(b, needle));
    }
}

TEST(splitting_loses_nothing)
{
    loam_bytes rest = loam_bytes_text("a,,bc,"), part;
    static const char *expected[] = {"a", "", "bc"};
    for (int i = 0; i < 3; i++) {
        CHECK(loam_bytes_split(&rest, ',', &part));
        CHECK(loam_bytes_equal(part, loam_bytes_text(expected[i])));
    }
    part = loam_bytes_text("untouched");
    CHECK(!loam_bytes_split(&rest, ',', &part));
    CHECK(part.len == 9);
    CHECK(rest.len == 0);
}

TEST(lines)
{
    loam_bytes rest = loam_bytes_text("one\r\n\ntwo\nlast"), line;
    static const char *expected[] = {"one", "", "two", "last"};
    for (int i = 0; i < 4; i++) {
        CHECK(loam_bytes_line(&rest, &line));
        CHECK(loam_bytes_equal(line, loam_bytes_text(expected[i])));
    }
    CHECK(!loam_bytes_line(&rest, &line));
    rest = loam_bytes_of(NULL, 0);
    CHECK(!loam_bytes_line(&rest, &line));
}

struct header {
    int magic;
    short count;
};

TEST(views_are_whole_and_aligned_or_not_there)
{
    _Alignas(8) unsigned char data[20] = {0};
    loam_bytes b = loam_bytes_of(data, 20);
    CHECK((const void *)loam_view(struct header, b, 4) == data + 4);
    CHECK(loam_view(struct header, b, 12) != NULL);
    CHECK(loam_view(struct header, b, 13) == NULL);
    CHECK(loam_view(struct header, b, 16) == NULL);
    CHECK(loam_view(int, b, SIZE_MAX) == NULL);
    CHECK(loam_view(char, b, 20) == NULL);
    CHECK(loam_view_array(int, b, 0, 5) != NULL);
    CHECK(loam_view_array(int, b, 0, 6) == NULL);
    CHECK(loam_view_array(int, b, 0, SIZE_MAX) == NULL);
    CHECK(loam_view(int, loam_bytes_of(NULL, 0), 0) == NULL);
}

TEST(slices_of_a_type)
{
    int a[] = {1, 2, 3, 4}, i = 1;
    loam_slice(int) s = {a, 4}, tail;
    CHECK(loam_slice_at(s, i++) == 2);
    CHECK(i == 2);
    loam_slice_cut(&tail, s, 2, 4);
    CHECK(tail.len == 2);
    loam_slice_at(tail, 0) = 30;
    CHECK(a[2] == 30);
    loam_slice_cut(&tail, tail, 2, 2);
    CHECK(tail.len == 0);
}

DIES(byte_behind_the_end, "slice: index out of bounds: 0x5")
{
    loam_bytes_at(loam_bytes_text("hello"), 5);
}

DIES(cut_behind_the_end, "slice: index out of bounds: 0x6")
{
    loam_bytes_cut(loam_bytes_text("hello"), 0, 6);
}

DIES(cut_that_ends_before_it_begins, "slice: index out of bounds: 0x3")
{
    loam_bytes_cut(loam_bytes_text("hello"), 3, 2);
}

DIES(element_behind_the_end, "slice: index out of bounds: 0x4")
{
    int a[] = {1, 2, 3, 4};
    loam_slice(int) s = {a, 4};
    loam_slice_at(s, 4) = 1;
}

DIES(slice_cut_behind_the_end, "slice: index out of bounds: 0x5")
{
    int a[] = {1, 2, 3, 4};
    loam_slice(int) s = {a, 4}, t;
    loam_slice_cut(&t, s, 5, 5);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
