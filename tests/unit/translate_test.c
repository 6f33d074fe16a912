// translate_test.c: an address cut into indices, with four levels of tables and with five, which
// the machine that runs this test may not have.
#include "inspect/translate.h"

#include "tests/check.h"

static u64 assemble(const struct translate *t)
{
    u64 at = t->addr & 4095;
    for (u32 i = 0; i < t->levels; i++) {
        CHECK(t->level[i].index < 512);
        CHECK(t->level[i].covers == (u64)1 << t->level[i].shift);
        CHECK(t->addr - t->level[i].start < t->level[i].covers);
        CHECK(i == 0 || t->level[i].covers * 512 == t->level[i - 1].covers);
        at |= (u64)t->level[i].index << t->level[i].shift;
    }
    return at;
}

TEST(four_levels)
{
    struct translate t = {.addr = 0x7f53418bd123};
    translate_levels(&t, false);
    CHECK(t.levels == 4);
    CHECK(t.used_levels == 4);
    CHECK(t.level[0].index == 254);
    CHECK(strcmp(t.level[0].name, "PGD") == 0);
    CHECK(strcmp(t.level[1].name, "PUD") == 0);
    CHECK(strcmp(t.level[3].name, "PTE") == 0);
    CHECK(assemble(&t) == t.addr);
    CHECK(translate_is_user(t.addr, 4));
    CHECK(!translate_is_user((u64)1 << 47, 4));
}

TEST(five_levels)
{
    struct translate t = {.addr = 0xa53f53418bd123};
    translate_levels(&t, true);
    CHECK(t.levels == 5);
    CHECK(strcmp(t.level[0].name, "PGD") == 0);
    CHECK(strcmp(t.level[1].name, "P4D") == 0);
    CHECK(strcmp(t.level[4].name, "PTE") == 0);
    CHECK(assemble(&t) == t.addr);
    CHECK(translate_is_user(t.addr, 5));
    CHECK(!translate_is_user((u64)1 << 56, 5));
}

TEST(a_huge_page_ends_the_walk_a_level_above)
{
    struct translate t = {.addr = 0x7f53418bd123, .huge = true};
    translate_levels(&t, false);
    CHECK(t.used_levels == 3);
    CHECK(t.level[2].covers == 2 * MiB);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
