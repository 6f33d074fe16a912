// The table of size classes, computed again from its rules; and the reciprocal, on every offset.
#include "heap/class.h"
#include "tests/check.h"

static u32 size_by_rule(unsigned cls)
{
    if (cls < 8)
        return 16 * (cls + 1);
    unsigned doubling = (cls - 8) / 8;
    u32 base = 128u << doubling;
    return base + base / 8 * ((cls - 8) % 8 + 1);
}

static u32 pages_by_rule(u32 size)
{
    for (u32 pages = 1;; pages++) {
        u32 bytes = pages << PAGE_SHIFT;
        u32 blocks = bytes / size;
        u32 waste = bytes - blocks * size;
        u32 least = size <= 1024 ? 64 : size <= 4096 ? 16 : 8;
        if (blocks >= least && (size <= 1024 || waste * 32 <= bytes || bytes >= 256 * KiB))
            return pages;
    }
}

TEST(table_follows_its_rules)
{
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        const struct class_info *i = &class_info[c];
        CHECK(i->size == size_by_rule(c));
        CHECK(i->pages == pages_by_rule(i->size));
        CHECK(i->blocks == ((u32)i->pages << PAGE_SHIFT) / i->size);
        CHECK(i->blocks <= SLAB_BLOCKS_MAX);
        CHECK(i->magic == ((1ull << 32) + i->size - 1) / i->size);
    }
    CHECK(class_info[CLASS_COUNT - 1].size == CLASS_SIZE_MAX);
}

TEST(every_size_gets_the_smallest_class_that_holds_it)
{
    for (size_t size = 0; size <= CLASS_SIZE_MAX; size++) {
        unsigned c = class_of(size);
        CHECK(class_info[c].size >= size);
        CHECK(c == 0 || class_info[c - 1].size < size || size == 0);
        if (size > 0 && size <= CLASS_SMALL_MAX)
            CHECK(class_window[(size - 1) >> 4] == c * sizeof(struct window));
    }
}

// The fast path trusts one thing: where the low half of the product is below magic, a block starts,
// and the upper half is its index. Above SLAB_EXACT_MAX it looks at a slab's first page only.
TEST(reciprocal_is_exact_where_it_says_so)
{
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        u32 size = class_info[c].size, magic = class_info[c].magic;
        u32 bytes = (size <= SLAB_EXACT_MAX ? class_info[c].pages : 1u) << PAGE_SHIFT;
        for (u32 offset = 0; offset < bytes; offset++) {
            u64 product = (u64)offset * magic;
            CHECK(((u32)product < magic) == (offset % size == 0));
            CHECK((u32)product >= magic || product >> 32 == offset / size);
        }
    }
}

// The slow paths ask block_index.
TEST(index_is_exact_on_a_whole_slab)
{
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        u32 size = class_info[c].size, magic = class_info[c].magic;
        u32 bytes = (u32)class_info[c].pages << PAGE_SHIFT;
        for (u32 offset = 0; offset < bytes; offset++)
            CHECK(block_index(magic, size, offset) == offset / size);
    }
}

// Alignment up to a page: some class fits, because powers of two are classes.
TEST(powers_of_two_are_classes)
{
    for (size_t size = 16; size <= CLASS_SIZE_MAX; size *= 2)
        CHECK(class_info[class_of(size)].size == size);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
