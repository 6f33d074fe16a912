// mark_test.c: reading a heap's tables from outside, and what the mark reaches.
#include "fake_heap.h"
#include "scan/mark.h"

#include "tests/check.h"

#include <errno.h>

static struct blocks b;
static struct mark m;

static void load(struct fake *f)
{
    CHECK(blocks_load(&b, &f->target, fake_root(f), fake_tags(f)) == 0);
    CHECK(blocks_copy(&b) == 0);
    CHECK(mark_init(&m, &b) == 0);
}

static bool reached(const void *p)
{
    u32 slot;
    CHECK(blocks_find(&b, (u64)(uintptr_t)p, &slot) != NULL);
    return mark_test(&m, slot);
}

static void root(const void *p)
{
    u64 word = (u64)(uintptr_t)p;
    mark_words(&m, &word, 1);
}

TEST(live_bits_follow_s1)
{
    struct fake *f = fake_new();
    u32 p = fake_slab(f, 64, 256);
    fake_live(f, p, 0, 64, 1);
    fake_live(f, p, 63, 64, 1);
    fake_live(f, p, 64, 64, 1);
    fake_live(f, p, 255, 64, 1);
    f->remote[p].bits[1] = 1; // block 64 was freed by a stranger
    load(f);
    CHECK(b.live_count == 3);
    u32 slot;
    CHECK(blocks_find(&b, (u64)(uintptr_t)fake_block(f, p, 63), &slot) != NULL);
    CHECK(blocks_find(&b, (u64)(uintptr_t)fake_block(f, p, 64), &slot) == NULL);
    CHECK(blocks_find(&b, (u64)(uintptr_t)fake_block(f, p, 254), &slot) == NULL);
    CHECK(blocks_find(&b, (u64)(uintptr_t)fake_block(f, p, 255) + 63, &slot) != NULL);
    CHECK(blocks_find(&b, (u64)(uintptr_t)fake_block(f, p, 255) + 64, &slot) == NULL);
}

TEST(a_window_holds_blocks_that_do_not_count_as_free)
{
    struct fake *f = fake_new();
    u32 p = fake_slab(f, 48, 200);
    f->heap[2].window[5] = (struct window){.word = 0xf0, .free = &f->side[p].free[1]};
    f->side[p].free[1] &= ~(u64)0xff; // taken when the window was opened
    f->remote[p].bits[1] = 2;         // block 65 was handed out and freed by a stranger
    load(f);
    CHECK(b.live_count == 3);
    u32 slot;
    CHECK(blocks_find(&b, (u64)(uintptr_t)fake_block(f, p, 64), &slot) != NULL);
    CHECK(blocks_find(&b, (u64)(uintptr_t)fake_block(f, p, 65), &slot) == NULL);
    CHECK(blocks_find(&b, (u64)(uintptr_t)fake_block(f, p, 66), &slot) != NULL);
    CHECK(blocks_find(&b, (u64)(uintptr_t)fake_block(f, p, 68), &slot) == NULL);
}

TEST(every_offset_finds_its_block)
{
    static const u32 sizes[] = {16, 48, 112, 144, 320, 1280, 7168, 28672, 30720, 32768};
    for (u32 i = 0; i < countof(sizes); i++) {
        struct fake *f = fake_new();
        u32 blocks = (u32)size_min(1024, 16 * PAGE_SIZE / sizes[i]);
        u32 p = fake_slab(f, sizes[i], blocks);
        for (u32 n = 0; n < blocks; n++)
            fake_live(f, p, n, sizes[i], 1);
        CHECK(blocks_load(&b, &f->target, fake_root(f), fake_tags(f)) == 0);
        for (u64 at = 0; at < (u64)sizes[i] * blocks; at++) {
            u32 slot;
            CHECK(blocks_find(&b, (u64)(uintptr_t)fake_block(f, p, 0) + at, &slot) != NULL);
            CHECK(slot == at / sizes[i]);
        }
        blocks_done(&b);
        CHECK(f->mapped == 0);
    }
}

TEST(pointers_are_followed)
{
    struct fake *f = fake_new();
    u32 p = fake_slab(f, 64, 256);
    u64 *a = fake_live(f, p, 1, 64, 1), *c = fake_live(f, p, 2, 64, 1);
    u64 *d = fake_live(f, p, 3, 64, 1), *lost = fake_live(f, p, 4, 64, 1);
    u64 *large = fake_large(f, 100000, 100000, 2);
    a[7] = (u64)(uintptr_t)c + 63;        // interior, in the last word
    c[0] = (u64)(uintptr_t)large + 99999; // last byte of a large block
    large[12000] = (u64)(uintptr_t)d;     // from far inside it
    d[1] = (u64)(uintptr_t)a;             // a ring
    lost[0] = (u64)(uintptr_t)d;
    load(f);
    root(a);
    mark_run(&m);
    CHECK(reached(a));
    CHECK(reached(c));
    CHECK(reached(large));
    CHECK(reached(d));
    CHECK(!reached(lost));
}

TEST(only_what_was_asked_for_is_looked_at)
{
    struct fake *f = fake_new();
    u32 p = fake_slab(f, 64, 64);
    u64 *a = fake_live(f, p, 1, 47, 1), *c = fake_live(f, p, 2, 64, 1);
    u64 *d = fake_live(f, p, 3, 64, 1), *e = fake_live(f, p, 4, 0, 0);
    a[5] = (u64)(uintptr_t)c;             // bytes 40 to 47 of 47: not a whole word
    f->tags[2 * f->desc[p].tags + 4] = 0; // e has no tag: all of it counts
    e[7] = (u64)(uintptr_t)d;
    load(f);
    root(a);
    root(e);
    mark_run(&m);
    CHECK(!reached(c));
    CHECK(reached(d));
}

TEST(past_the_end_is_no_pointer)
{
    struct fake *f = fake_new();
    u32 p = fake_slab(f, 64, 64);
    u64 *a = fake_live(f, p, 1, 40, 1), *c = fake_live(f, p, 2, 63, 1);
    u64 *none = fake_live(f, p, 3, 0, 1);
    u64 *large = fake_large(f, 50000, 49000, 1);
    load(f);
    root((char *)a + 40);
    root((char *)c + 63);
    root((char *)none + 1);
    root((char *)large + 49000);
    CHECK(m.depth == 0);
    root((char *)a + 39);
    root((char *)c + 62);
    root(none);
    root((char *)large + 48999);
    CHECK(m.depth == 4);
}

TEST(a_stack_inside_a_block_is_dead_below_its_pointer)
{
    struct fake *f = fake_new();
    u64 *stack = fake_large(f, 65536, 65536, 1);
    u32 p = fake_slab(f, 64, 64);
    u64 *dead = fake_live(f, p, 1, 64, 1), *live = fake_live(f, p, 2, 64, 1);
    stack[4095] = (u64)(uintptr_t)dead;
    stack[4096] = (u64)(uintptr_t)live;
    load(f);
    blocks_clip(&b, (u64)(uintptr_t)&stack[4096]);
    blocks_clip(&b, (u64)(uintptr_t)&stack[5000]);
    blocks_clip(&b, (u64)(uintptr_t)f->arena + FAKE_PAGES * PAGE_SIZE + 64);
    root(stack);
    mark_run(&m);
    CHECK(!reached(dead));
    CHECK(reached(live));
}

TEST(blocks_outside_the_arena)
{
    struct fake *f = fake_new();
    char *far = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fake_readable(f, far, 1 << 20);
    f->far[3] = (struct far_block){(u64)(uintptr_t)far, 4096, 4096, {7, 4000 << 16, 0, 0}};
    f->far[0] =
        (struct far_block){(u64)(uintptr_t)far + 65536, 65536, 65536, {8, 60000u << 16, 0, 0}};
    f->far[1] = (struct far_block){1, 0, 0, {0, 0, 0, 0}}; // being filled
    ((u64 *)far)[1] = (u64)(uintptr_t)far + 65536 + 100;
    load(f);
    CHECK(b.live_count == 2);
    root(far + 3999);
    mark_run(&m);
    CHECK(reached(far));
    CHECK(reached(far + 65536));
    u32 slot;
    const struct span *s = blocks_find(&b, (u64)(uintptr_t)far, &slot);
    CHECK(s != NULL);
    CHECK(blocks_asked(&b, s, slot) == 4000);
    CHECK((u32)b.tag[slot] == 7);
    CHECK(blocks_find(&b, (u64)(uintptr_t)far + 8192, &slot) == NULL);
    CHECK(blocks_find(&b, (u64)(uintptr_t)far - 1, &slot) == NULL);
    CHECK(blocks_find(&b, (u64)(uintptr_t)far + 131072, &slot) == NULL);
}

TEST(roots_in_the_targets_memory)
{
    struct fake *f = fake_new();
    u32 p = fake_slab(f, 64, 64);
    u64 *a = fake_live(f, p, 1, 64, 1), *c = fake_live(f, p, 2, 64, 1);
    size_t size = (3 << 20) + 100;
    char *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fake_readable(f, mem, size);
    *(u64 *)(mem + (1 << 20)) = (u64)(uintptr_t)a;
    memcpy(mem + 12, &c, sizeof c); // unaligned: no pointer
    load(f);
    CHECK(mark_range(&m, (u64)(uintptr_t)mem + 3, size - 3) == 0);
    mark_run(&m);
    CHECK(reached(a));
    CHECK(!reached(c));
    f->vanish_after = 1;
    CHECK(mark_range(&m, (u64)(uintptr_t)mem, size) == -ESRCH);
}

TEST(no_memory_is_told_and_leaves_nothing)
{
    for (int n = 1;; n++) {
        struct fake *f = fake_new();
        fake_live(f, fake_slab(f, 64, 64), 1, 64, 1);
        f->maps_fail_after = n;
        int e = blocks_load(&b, &f->target, fake_root(f), fake_tags(f));
        if (e == 0 && (e = blocks_copy(&b)) == 0 && (e = mark_init(&m, &b)) == 0) {
            CHECK(n > 5);
            return;
        }
        CHECK(e == -ENOMEM);
        if (b.target != NULL)
            blocks_done(&b);
        CHECK(f->mapped == 0);
    }
}

TEST(a_heap_that_is_none)
{
    struct fake *f = fake_new();
    fake_slab(f, 64, 64);
    f->root.magic++;
    CHECK(blocks_load(&b, &f->target, fake_root(f), 0) == -EBADMSG);
    f->root.magic--;
    f->root.version++;
    CHECK(blocks_load(&b, &f->target, fake_root(f), 0) == -EBADMSG);
    f->root.version--;
    f->desc[1].blocks = 60000;
    CHECK(blocks_load(&b, &f->target, fake_root(f), 0) == -EBADMSG);
    CHECK(blocks_load(&b, &f->target, 0xdead0000, 0) == -EBADMSG);
    f->root.base = 0; // before the first allocation
    f->root.far_count = 0;
    CHECK(blocks_load(&b, &f->target, fake_root(f), 0) == 0);
    CHECK(b.live_count == 0);
}

TEST(busy_heaps_are_counted)
{
    struct fake *f = fake_new();
    CHECK(blocks_busy(&f->target, fake_root(f)) == 0);
    f->heap[1].busy = f->heap[3].busy = 1;
    CHECK(blocks_busy(&f->target, fake_root(f)) == 2);
}

static void noise(struct fake *f, unsigned *seed)
{
    u64 *words = (u64 *)f->desc;
    size_t tables = (sizeof f->desc + sizeof f->side + sizeof f->remote) / 8;
    for (int i = rand_r(seed) % 40; i > 0; i--) {
        u64 r = (u64)rand_r(seed) << 40 ^ (u64)rand_r(seed) << 20 ^ (u64)rand_r(seed);
        words[(size_t)rand_r(seed) % tables] = rand_r(seed) % 2 ? r : r & 0xffff;
    }
    u64 *root_words = (u64 *)&f->root;
    if (rand_r(seed) % 2)
        root_words[2 + (size_t)rand_r(seed) % (sizeof f->root / 8 - 2)] ^= 1ull
                                                                           << rand_r(seed) % 64;
    if (rand_r(seed) % 2)
        f->heap[0].window[rand_r(seed) % CLASS_COUNT].free =
            (u64 *)f->side + rand_r(seed) % (sizeof f->side / 8 + 100);
    for (int i = 0; i < CLASS_COUNT; i++)
        f->heap[0].window[i].word = (u64)rand_r(seed);
}

// Whatever stands in the tables: no crash, no hang, nothing left behind.
TEST(broken_tables_do_no_harm)
{
    unsigned seed = 1;
    int good = 0, bad = 0;
    for (int round = 0; round < 300; round++) {
        struct fake *f = fake_new();
        for (int i = 0; i < 6; i++) {
            u32 p = fake_slab(f, 16u << i, 200);
            for (u32 n = 0; n < 200; n += 1 + (u32)rand_r(&seed) % 9)
                *fake_live(f, p, n, 16u << i, 1 + n) =
                    (u64)(uintptr_t)f->arena + (u64)rand_r(&seed) % (1 << 22);
        }
        noise(f, &seed);
        f->root.page_shift = PAGE_SHIFT;
        int e = blocks_load(&b, &f->target, fake_root(f), fake_tags(f));
        e = e == 0 ? blocks_copy(&b) : e;
        if (e == 0 && mark_init(&m, &b) == 0) {
            CHECK(mark_range(&m, b.base, size_min(b.extent, MiB)) == 0);
            mark_run(&m);
            mark_done(&m);
            good++;
        } else {
            CHECK(e == -EBADMSG || e == -ENOMEM);
            bad++;
        }
        if (b.target != NULL)
            blocks_done(&b);
        CHECK(f->mapped == 0);
        munmap(f->arena, FAKE_PAGES * PAGE_SIZE);
        munmap(f, sizeof *f);
    }
    CHECK(good > 10);
    CHECK(bad > 10);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
