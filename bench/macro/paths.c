// paths: random walks down a tree of calls, which allocate at every step: 163,820 distinct stacks.
//
// Ten depths to start from, thirteen levels of a binary tree of calls, two blocks at each node:
// what a recursive parser does to a profiler. Not a question for allocators: under `loam run` it
// shows what it costs when nearly every stack is another one than the last, and too many to be at
// hand.

#include "bench.h"

#define STARTS 10
#define LEVELS 13
#define KEPT   4096

struct node {
    struct node *next;
    char *text;
    size_t size;
};

struct paths {
    struct rng rng;
    struct node *kept[KEPT];
    size_t at, nodes;
};

__attribute__((noinline)) static char *text_new(size_t size)
{
    char *text = take(size);
    memset(text, 'a' + (int)(size % 26), size);
    return text;
}

__attribute__((noinline)) static void node_add(struct paths *p)
{
    struct node *n = take(sizeof *n);
    n->size = rng_between(&p->rng, 4, 60);
    n->text = text_new(n->size);
    struct node **place = &p->kept[p->at++ % KEPT];
    if (*place != NULL) {
        check((*place)->text[0] == 'a' + (int)((*place)->size % 26));
        free((*place)->text);
        free(*place);
    }
    *place = n;
    p->nodes++;
}

// Where a call comes from tells its stack: there must be two.
__attribute__((noinline)) static void walk(struct paths *p, unsigned level)
{
    node_add(p);
    if (level + 1 == LEVELS)
        return;
    if (rng_next(&p->rng) >> 63) {
        walk(p, level + 1);
        __asm__ volatile("# left" ::: "memory"); // not the function's last act, not the same as
    } else {
        walk(p, level + 1);
        __asm__ volatile("# right" ::: "memory");
    }
}

__attribute__((noinline)) static void start(struct paths *p, unsigned depth)
{
    if (depth == 0)
        walk(p, 0);
    else
        start(p, depth - 1);
    __asm__ volatile("" ::: "memory");
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){0});
    static struct paths p;
    size_t walks = scaled(&b, 250000);
    p.rng = rng_seeded(1);
    for (size_t i = 0; i < walks; i++)
        start(&p, (unsigned)(i % STARTS));
    check(p.nodes == walks * LEVELS);
    return 0;
}
