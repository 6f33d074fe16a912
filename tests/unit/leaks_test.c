// leaks_test.c: leaked blocks are told once each: direct, indirect or cycle.
#include "fake_heap.h"
#include "scan/leaks.h"

#include "tests/check.h"

#include <errno.h>

static struct blocks b;
static struct mark m;
static struct leaks l;

struct told {
    u32 blocks[4];
    u64 bytes[4];
    enum leak_kind kind[4096]; // by site
};
static struct told told;

static void tell(void *ctx, const struct leak *leak)
{
    (void)ctx;
    told.blocks[leak->kind]++;
    told.bytes[leak->kind] += leak->asked;
    told.kind[leak->tag & 0xfff] = leak->kind;
}

static void scan(struct fake *f, const u64 *roots, size_t count)
{
    CHECK(blocks_load(&b, &f->target, fake_root(f), fake_tags(f)) == 0);
    CHECK(blocks_copy(&b) == 0);
    CHECK(mark_init(&m, &b) == 0);
    mark_words(&m, roots, count);
    mark_run(&m);
    CHECK(leaks_find(&l, &m) == 0);
    memset(&told, 0, sizeof told);
    leaks_each(&l, tell, NULL);
    leaks_done(&l);
    mark_done(&m);
    blocks_done(&b);
    CHECK(f->mapped == 0);
}

static u64 at(const void *p)
{
    return (u64)(uintptr_t)p;
}

TEST(a_lost_list_has_one_head)
{
    struct fake *f = fake_new();
    u32 p = fake_slab(f, 32, 100);
    u64 *node[10];
    for (u32 i = 0; i < 10; i++)
        node[i] = fake_live(f, p, 2 * i, 24, 10 + i);
    for (u32 i = 0; i + 1 < 10; i++)
        node[i][1] = at(node[i + 1]);
    u64 *kept = fake_live(f, p, 50, 32, 99);
    u64 roots[] = {at(kept)};
    scan(f, roots, 1);
    CHECK(told.kind[10] == LEAK_DIRECT);
    CHECK(told.blocks[LEAK_DIRECT] == 1);
    CHECK(told.bytes[LEAK_DIRECT] == 24);
    CHECK(told.blocks[LEAK_INDIRECT] == 9);
    CHECK(told.bytes[LEAK_INDIRECT] == 9 * 24);
    CHECK(told.blocks[LEAK_CYCLE] == 0);
    CHECK(told.bytes[LEAK_REACHED] == 32);
}

TEST(rings)
{
    struct fake *f = fake_new();
    u32 p = fake_slab(f, 32, 100);
    u64 *n[9];
    for (u32 i = 0; i < 9; i++)
        n[i] = fake_live(f, p, i, 32, 1 + i);
    n[0][0] = at(n[1]), n[1][0] = at(n[0]);                     // a ring ...
    n[1][1] = at(n[2]);                                         // ... and what stands behind it
    n[3][0] = at(n[4]), n[4][0] = at(n[5]), n[5][0] = at(n[4]); // a head before a ring
    n[6][0] = at(n[6]) + 8;                                     // points to itself only
    n[7][0] = at(n[7]), n[7][1] = at(n[8]);                     // to itself and another
    scan(f, NULL, 0);
    CHECK(told.kind[1] == LEAK_CYCLE);
    CHECK(told.kind[2] == LEAK_CYCLE);
    CHECK(told.kind[3] == LEAK_CYCLE);
    CHECK(told.kind[4] == LEAK_DIRECT);
    CHECK(told.kind[5] == LEAK_INDIRECT);
    CHECK(told.kind[6] == LEAK_INDIRECT);
    CHECK(told.kind[7] == LEAK_DIRECT);
    CHECK(told.kind[8] == LEAK_DIRECT);
    CHECK(told.kind[9] == LEAK_INDIRECT);
}

TEST(a_large_tag_has_two_halves)
{
    struct fake *f = fake_new();
    fake_large(f, 3 * PAGE_SIZE, 40000, 77);
    scan(f, NULL, 0);
    CHECK(told.bytes[LEAK_DIRECT] == 40000);
    CHECK(told.kind[77] == LEAK_DIRECT);
}

// The slow and plain way to the same answer, on random graphs.
#define NODES 300
static bool edge[NODES][NODES];
static bool in_root[NODES], hit[NODES];

static void spread(bool *set)
{
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < NODES; i++)
            for (int j = 0; set[i] && j < NODES; j++)
                if (edge[i][j] && !set[j])
                    set[j] = more = true;
    }
}

static enum leak_kind plain_kind(int i, const bool *reach, const bool *behind)
{
    if (reach[i])
        return LEAK_REACHED;
    for (int j = 0; j < NODES; j++)
        if (j != i && edge[j][i] && !reach[j])
            return behind[i] ? LEAK_INDIRECT : LEAK_CYCLE;
    return LEAK_DIRECT;
}

TEST(random_graphs_agree_with_the_plain_way)
{
    unsigned seed = 7;
    for (int round = 0; round < 100; round++) {
        struct fake *f = fake_new();
        u32 p = fake_slab(f, 64, 512);
        u64 *node[NODES], roots[NODES];
        size_t root_count = 0;
        memset(edge, 0, sizeof edge);
        memset(in_root, 0, sizeof in_root);
        for (u32 i = 0; i < NODES; i++)
            node[i] = fake_live(f, p, i + i / 2, 64, 1 + i);
        int edges = NODES * (20 + rand_r(&seed) % 150) / 100;
        for (int i = 0; i < edges; i++) {
            int from = rand_r(&seed) % NODES, to = rand_r(&seed) % NODES;
            u64 *slot = &node[from][rand_r(&seed) % 8];
            if (*slot == 0) {
                *slot = at(node[to]) + (u64)rand_r(&seed) % 64;
                edge[from][to] = true;
            }
        }
        for (int i = rand_r(&seed) % 20; i > 0; i--) {
            int r = rand_r(&seed) % NODES;
            roots[root_count++] = at(node[r]);
            in_root[r] = true;
        }
        scan(f, roots, root_count);
        spread(in_root);
        memset(hit, 0, sizeof hit);
        for (int i = 0; i < NODES; i++)
            hit[i] = plain_kind(i, in_root, hit) == LEAK_DIRECT;
        spread(hit);
        for (int i = 0; i < NODES; i++)
            CHECK(told.kind[1 + i] == plain_kind(i, in_root, hit));
        munmap(f->arena, FAKE_PAGES * PAGE_SIZE);
        munmap(f, sizeof *f);
    }
}

TEST(no_memory_is_told)
{
    struct fake *f = fake_new();
    fake_live(f, fake_slab(f, 64, 64), 1, 64, 1);
    CHECK(blocks_load(&b, &f->target, fake_root(f), fake_tags(f)) == 0);
    CHECK(blocks_copy(&b) == 0);
    CHECK(mark_init(&m, &b) == 0);
    long before = f->mapped;
    f->maps_fail_after = 2;
    CHECK(leaks_find(&l, &m) == -ENOMEM);
    CHECK(f->mapped == before);
}

int main(int argc, char **argv)
{
    return check_main(argc, argv);
}
