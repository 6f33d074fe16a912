// tags_test.c: tags stand beside blocks, are zero when a slab is new, and outlive nothing.
#include "record/tags.h"

#include "tests/check.h"

#include <pthread.h>

static void *plain(size_t size, size_t align, bool zero, int kind unused_)
{
    return heap_alloc(size, align, zero);
}
static void plain_free(void *p, int kind unused_)
{
    heap_free(p);
}
static void *plain_realloc(void *p, size_t size)
{
    return heap_realloc(p, size, NULL);
}
static const struct heap_ops ops = {
    .alloc = plain,
    .free = plain_free,
    .realloc = plain_realloc,
    .tags_gone = tags_gone,
};

static void *tagged(size_t size, u32 site)
{
    struct tags t;
    size_t had;
    void *p = heap_alloc(size, 0, false);
    CHECK(p != NULL);
    CHECK(tags_find(p, true, &t));
    CHECK(tags_get(&t, &had).site == 0); // whoever had it is forgotten
    tags_set(&t, (struct tag){.site = site, .kind = KIND_NEW}, size);
    return p;
}

static void untag(void *p, u32 site, size_t size)
{
    struct tags t;
    size_t had;
    CHECK(tags_find(p, false, &t));
    struct tag tag = tags_get(&t, &had);
    CHECK(tag.site == site && tag.kind == KIND_NEW && had == size);
    tags_clear(&t);
    heap_free(p);
}

TEST(small_blocks)
{
    heap_set_ops(&ops);
    static void *p[5000];
    for (u32 i = 0; i < 5000; i++)
        p[i] = tagged(i % 700, i + 1);
    for (u32 i = 0; i < 5000; i += 2)
        untag(p[i], i + 1, i % 700);
    for (u32 i = 0; i < 5000; i += 2)
        p[i] = tagged(i % 700, 9000 + i);
    for (u32 i = 0; i < 5000; i++)
        untag(p[i], i % 2 ? i + 1 : 9000 + i, i % 700);
}

// The contract with the tool: tag = base + 16 * desc.tags + 8 * index.
TEST(found_by_arithmetic)
{
    heap_set_ops(&ops);
    for (u32 i = 0; i < 100; i++) {
        void *p = tagged(48, 100 + i);
        struct heap_block b;
        CHECK(heap_find(p, &b));
        const struct tag *t =
            (const struct tag *)(uintptr_t)(tags_base() + 16 * (u64)b.desc->tags + 8 * b.index);
        CHECK(t->site == 100 + i && t->size == 48);
    }
}

TEST(large_and_vast_sizes)
{
    heap_set_ops(&ops);
    void *p = tagged(200 * KiB, 5);
    struct tags t;
    size_t size;
    CHECK(tags_find(p, false, &t) && t.large);
    const struct tag most = {.site = 0xfffff, .kind = KIND_ALIGNED, .birth = 0xffffff};
    tags_set(&t, most, (size_t)0x123456789abc);
    struct tag got = tags_get(&t, &size);
    CHECK(got.site == 0xfffff && got.kind == KIND_ALIGNED && got.birth == 0xffffff);
    CHECK(got.watched == 0 && got.grown == 0 && size == (size_t)0x123456789abc);
    CHECK(t.at[0] >> TAG_SIZE_SHIFT == 0x9abc && t.at[1] == 0x12345678); // as recording.h says
    tags_clear(&t);
    heap_free(p);
}

TEST(outside_the_arena)
{
    heap_set_ops(&ops);
    void *p = heap_alloc(100, 2 * GiB, false);
    struct heap_block b;
    CHECK(heap_find(p, &b) && b.far != NULL);
    struct tags t;
    CHECK(tags_find(p, true, &t));
    tags_set(&t, (struct tag){.site = 77, .kind = KIND_NEW}, 100);
    struct tag tag;
    memcpy(&tag, b.far->tag, sizeof tag);
    CHECK(tag.site == 77);
    untag(p, 77, 100);
}

TEST(none_until_made)
{
    heap_set_ops(&ops);
    struct tags t;
    int local;
    void *p = heap_alloc(33, 0, false);
    CHECK(!tags_find(p, false, &t));
    CHECK(!tags_find(&local, true, &t));
    heap_free(p);
}

// Arrays of dead spans are used again: a program that churns does not grow.
TEST(arrays_are_recycled)
{
    heap_set_ops(&ops);
    u32 highest = 0;
    for (int round = 0; round < 2000; round++) {
        void *p = tagged(100 * KiB, 1);
        struct heap_block b;
        CHECK(heap_find(p, &b));
        if (b.desc->tags > highest)
            highest = b.desc->tags;
        untag(p, 1, 100 * KiB);
    }
    CHECK(highest < 10);
}

static void *churn(void *arg unused_)
{
    void *p[50];
    for (int round = 0; round < 500; round++) {
        for (u32 i = 0; i < 50; i++)
            p[i] = tagged(20000 + i * 1000, i + 1);
        for (u32 i = 0; i < 50; i++)
            untag(p[i], i + 1, 20000 + i * 1000);
    }
    return NULL;
}

TEST(threads_share_the_arena)
{
    heap_set_ops(&ops);
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&t[i], NULL, churn, NULL) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
