// footprint_test.c: how many OS pages a program's blocks come to lie in.
#include <loam/heap.h>

#include "tests/check.h"

#include <stdint.h>

enum { OS_PAGES_MAX = 4096 };
static uintptr_t seen[OS_PAGES_MAX];
static size_t seen_count;

static void see(const void *p)
{
    uintptr_t page = (uintptr_t)p >> 12;
    for (size_t i = 0; i < seen_count; i++)
        if (seen[i] == page)
            return;
    CHECK(seen_count < OS_PAGES_MAX);
    seen[seen_count++] = page;
}

// OS pages in which blocks of `size` begin that a loop sees which keeps `live` of them.
static size_t pages_of_loop(size_t size, size_t live)
{
    void *slot[256] = {NULL};
    CHECK(live <= 256);
    seen_count = 0;
    for (size_t i = 0; i < 20000; i++) {
        void **at = &slot[i % live];
        loam_free(*at);
        *at = loam_malloc(size);
        CHECK(*at != NULL);
        see(*at);
    }
    for (size_t i = 0; i < live; i++)
        loam_free(slot[i]);
    return seen_count;
}

// Never more than three times the live blocks, and an OS page.
TEST(few_live_blocks_go_round_in_few_pages)
{
    for (size_t size = 128; size <= 32768; size += size / 2)
        for (size_t live = 1; live <= 4; live++)
            CHECK(pages_of_loop(size, live) <= (3 * live * size >> 12) + 3);
}

// All of a slab can be had: no step ends too early.
TEST(each_class_hands_out_whole_slabs)
{
    static void *block[3000];
    for (size_t size = 16; size <= 32768; size += size / 4 + 16) {
        for (size_t i = 0; i < 3000; i++) {
            block[i] = loam_malloc(size);
            CHECK(block[i] != NULL);
        }
        for (size_t i = 0; i < 3000; i++)
            loam_free(block[i]);
    }
    uint64_t slabs = 0, capacity = 0;
    for (size_t i = 0; i < 3000; i++)
        block[i] = loam_malloc(512);
    CHECK(loam_heap_figure("class.512.slabs", &slabs));
    CHECK(loam_heap_figure("class.512.capacity", &capacity));
    CHECK(capacity < 3000 + 2 * capacity / slabs);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
