// advice_test.c: what could be less, and that small matters are not mentioned.
#include "report/advice.h"

#include "heap/class.h"
#include "report/load.h"
#include "tests/check.h"
#include "tests/lib/fabricate.h"

static char why[256];

// The heap's own table is the oracle.
TEST(classes_are_those_of_the_heap)
{
    for (u64 size = 1; size <= CLASS_SIZE_MAX; size++) {
        u64 room = class_info[class_of(size)].size;
        CHECK(advice_room(size) == room);
        u64 below = advice_below(size);
        CHECK(below == (size == room ? size : size < 16 ? 0 : class_info[class_of(size) - 1].size));
    }
    CHECK(advice_room(0) == 16 && advice_room(40000) == 48 * KiB);
}

struct fab f;
static struct model m;
static struct places places;
static struct totals totals;

static struct record_site *begin(void)
{
    fab_begin(&f, "prog", 4);
    struct record_process *p = fab_process(&f, 1, 100, 0, "/nowhere/prog", "prog", 4);
    p->peak_bytes = 10 * MiB;
    p->rest.allocs = 100000;
    p->rest.alloc_bytes = 20 * MiB;
    fab_module(&f, 1, 1, "/nowhere/prog", NULL, 0);
    return fab_site(&f, 1, (u64[]){FAB_FRAME(1, 0x10)}, 1);
}

static struct advices end(void)
{
    CHECK(load_memory("it", f.bytes, f.size, &m, why, sizeof why) == 0);
    places = places_merge(&m, 0);
    totals = totals_of(&m);
    return advices_of(&places, &totals);
}

TEST(nothing_to_say)
{
    struct record_site *s = begin();
    s->allocs = 100;
    s->smallest = s->largest = 32; // fits its class
    s->at_peak = 9 * MiB;
    CHECK(end().count == 0);
}

TEST(a_byte_too_many)
{
    struct record_site *s = begin();
    s->allocs = 300000;
    s->smallest = s->largest = 33;
    s->at_peak = 33 * 100000;
    struct advices a = end();
    CHECK(a.count == 1 && a.items[0].bytes == 1600000);
    CHECK(strcmp(a.items[0].code, "rounding") == 0);
    CHECK(strcmp(a.items[0].text, "less at the peak, if blocks of 33 bytes had 32") == 0);
}

TEST(sizes_that_differ_are_nobodys_fault)
{
    struct record_site *s = begin();
    s->allocs = 300000;
    s->smallest = 33;
    s->largest = 34;
    s->at_peak = 9 * MiB;
    CHECK(end().count == 0);
}

TEST(all_four)
{
    struct record_site *s = begin();
    s->allocs = 90000;
    s->smallest = s->largest = 1100; // 1152; 1024 would do
    s->at_peak = 5 * MiB;
    s->large_pages = 1000;
    s->untouched_pages = 900;
    s->temporaries = 50000;
    s->temporary_bytes = 50000 * 1100;
    s->reallocs = 7;
    s->chains = 1;
    s->copied_bytes = 3 * MiB;
    struct advices a = end();
    CHECK(a.count == 4);
    CHECK(a.items[0].bytes == 900 * PAGE_UNIT);
    CHECK(strcmp(a.items[2].text, "freed by the very next call: 50 % of all allocations") == 0);
    CHECK(strcmp(a.items[3].text, "copied by 7 reallocs, in 1 chain") == 0);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
