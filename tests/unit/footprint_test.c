// footprint_test.c: how many OS pages a program's blocks come to lie in.
#include <loam/heap.h>

#include "heap/api.h"
#include "tests/check.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

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

enum { BLOCKS = 400, BLOCK_SIZE = 20000 };
static char *block_of[BLOCKS];

static void fill(void)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        block_of[i] = loam_malloc(BLOCK_SIZE);
        CHECK(block_of[i] != NULL);
        memset(block_of[i], 1, BLOCK_SIZE);
    }
}

static void empty(void)
{
    for (size_t i = 0; i < BLOCKS; i++)
        loam_free(block_of[i]);
}

// OS pages that hold the second OS page of a block, so each is one block's alone.
static size_t resident(void)
{
    size_t n = 0;
    for (size_t i = 0; i < BLOCKS; i++) {
        unsigned char in = 0;
        mincore((void *)(((uintptr_t)block_of[i] + 4096) & ~(uintptr_t)4095), 1, &in);
        n += in & 1;
    }
    return n;
}

static int ask[2], answer[2];
static void *owner(void *unused)
{
    char c;
    fill();
    empty();
    CHECK(write(answer[1], "f", 1) == 1);
    CHECK(read(ask[0], &c, 1) == 1);
    fill();
    CHECK(resident() == BLOCKS);
    empty();
    return unused;
}

// Empty slabs of larger blocks stay with their class, as far as free memory may be kept; whoever
// trims gives back theirs too, while their owner sleeps, and the owner can use them again.
TEST(trim_reaches_another_threads_empty_slabs)
{
    pthread_t thread;
    char c;
    CHECK(pipe(ask) == 0 && pipe(answer) == 0);
    CHECK(pthread_create(&thread, NULL, owner, NULL) == 0);
    CHECK(read(answer[0], &c, 1) == 1);
    size_t before = resident();
    CHECK(before > BLOCKS / 8 && before <= BLOCKS / 2);
    CHECK(loam_trim(0) >= (before - 16) * BLOCK_SIZE);
    CHECK(resident() <= 16); // the last slab of the class stays
    CHECK(loam_trim(0) == 0);
    CHECK(write(ask[1], "g", 1) == 1);
    CHECK(pthread_join(thread, NULL) == 0);
    loam_trim(0);
    CHECK(resident() == 0);
    const char *broken = heap_check();
    CHECK(broken == NULL);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
