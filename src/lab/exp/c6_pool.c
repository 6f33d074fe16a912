// C6 pool: objects of one size, from a pool and from malloc, by one thread and by two.

#include "lab/allocators.h"

#include <loam/pool.h>
#include <stdlib.h>

enum { LIVE = 512 };
struct object {
    u64 word[4];
};
LOAM_POOL(objects, struct object)

struct pooled {
    objects pool;
    objects_handle handle[LIVE];
    struct rng r;
};

static void from_pool(void *of, u64 rounds)
{
    struct pooled *p = of;
    for (u64 i = 0; i < rounds; i++) {
        objects_handle *h = &p->handle[rng_below(&p->r, LIVE)];
        objects_free(&p->pool, *h);
        struct object *o = objects_new(&p->pool, h);
        if (o != NULL)
            o->word[0] = i;
    }
}

struct taken {
    const struct allocator *a;
    struct object *object[LIVE];
    struct rng r;
};

static void from_heap(void *of, u64 rounds)
{
    struct taken *t = of;
    for (u64 i = 0; i < rounds; i++) {
        struct object **o = &t->object[rng_below(&t->r, LIVE)];
        t->a->give(*o);
        *o = t->a->take(sizeof **o);
        **o = (struct object){{i}}; // the pool's objects begin as zero, too
    }
}

static void pool_team(void *of, u64 rounds, u32 who)
{
    from_pool((struct pooled *)of + who, rounds);
}
static void heap_team(void *of, u64 rounds, u32 who)
{
    from_heap((struct taken *)of + who, rounds);
}

static void run(struct lab *l)
{
    struct allocator a[ALLOCATORS_MAX];
    allocators_find(a);
    static struct pooled p[2] __attribute__((aligned(128)));
    static struct taken t[2] __attribute__((aligned(128))), mine __attribute__((aligned(128)));
    mine = (struct taken){.a = &a[1], .r = l->rng};
    for (u32 i = 0; i < 2; i++) {
        p[i].pool = objects_make("lab");
        p[i].r = t[i].r = l->rng;
        t[i].a = &a[0];
        for (u32 k = 0; k < LIVE; k++)
            if (objects_new(&p[i].pool, &p[i].handle[k]) == NULL)
                return;
    }
    struct arm one[] = {
        {"pool", .run = from_pool, .of = &p[0]},
        {"malloc", .run = from_heap, .of = &t[0]},
        {"loam_malloc", .run = from_heap, .of = &mine},
    };
    lab_time(l, one, countof(one));
    lab_ratio(l, "malloc_over_pool", &one[1], &one[0]);
    struct arm two[] = {
        {"pool_two_threads", .team = pool_team, .of = p, .threads = 2},
        {"malloc_two_threads", .team = heap_team, .of = t, .threads = 2},
    };
    if (lab_time(l, two, countof(two)))
        lab_ratio(l, "two_threads", &two[1], &two[0]);
    lab_exact(l, "bytes_an_object", (double)p[0].pool.pool.slot.size, "bytes");
    for (u32 i = 0; i < 2; i++)
        objects_done(&p[i].pool);
}

static const struct claim claims[] = {
    {S2, NULL, "malloc against a pool", "pools are fast", "malloc_over_pool", 1.1, INFINITY, "x"},
};

LAB_EXPERIMENT(C6) = {
    .question = "Are objects from a pool cheaper than from malloc?",
    .prediction = "A pool knows the size and hands out the newest free slot: a few instructions.",
    .method = "512 objects of 32 bytes are live; a random one is freed and taken anew, zeroed. "
              "loam's pool checks a generation with each access, so that a stale handle is found. "
              "Two threads have a pool, and 512 objects, each.",
    .look = "How little is left to gain against a good malloc. A pool's worth is more in handles "
            "that go stale safely, and in objects that lie side by side.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
