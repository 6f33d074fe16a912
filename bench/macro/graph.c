// graph: nodes with names and edges, of random sizes and lifetimes, around a given live size.
//
// -l: live memory, 10M by default. At 100K all is in the second-level cache, at 100M every access
// misses, and at 1G the page tables miss too. One step replaces a random node: frees its edges and
// name, builds others, and follows a few edges to read its neighbours.

#include "bench.h"

struct node {
    uint64_t id;
    char *name;
    uint32_t *edge; // indexes of other nodes
    uint32_t edges;
};

struct graph {
    struct node **node;
    size_t count;
    struct rng r;
    uint64_t sum;
};

static struct node *node_new(struct graph *g, uint64_t id)
{
    struct node *n = take(sizeof *n);
    size_t length = rng_size(&g->r, 8, 128);
    n->id = id;
    n->name = take(length);
    memset(n->name, 'a' + (int)(id % 26), length - 1);
    n->name[length - 1] = 0;
    n->edges = (uint32_t)rng_between(&g->r, 1, 12);
    n->edge = take(n->edges * sizeof n->edge[0]);
    for (uint32_t i = 0; i < n->edges; i++)
        n->edge[i] = (uint32_t)rng_below(&g->r, g->count);
    return n;
}

static void node_free(struct node *n)
{
    check(n->name[0] == 'a' + (char)(n->id % 26));
    free(n->name);
    free(n->edge);
    free(n);
}

static void replace(struct graph *g, uint64_t id)
{
    size_t at = rng_below(&g->r, g->count);
    node_free(g->node[at]);
    g->node[at] = node_new(g, id);
    for (unsigned hop = 0; hop < 4; hop++) {
        const struct node *n = g->node[at];
        g->sum += n->id + (uint64_t)n->name[0];
        at = n->edge[id % n->edges];
    }
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1, .live = 10 * MiB});
    struct graph g = {.count = b.live / 128 + 1,
                      .r = rng_seeded(73)}; // 128 bytes a node on average
    g.node = take(g.count * sizeof *g.node);
    for (size_t i = 0; i < g.count; i++)
        g.node[i] = node_new(&g, i);
    for (size_t i = 0, n = scaled(&b, 3e6 / (1 + (double)b.live / 1e8)); i < n; i++)
        replace(&g, i);
    for (size_t i = 0; i < g.count; i++)
        node_free(g.node[i]);
    free(g.node);
    printf("sum %llu\n", (unsigned long long)g.sum);
    return 0;
}
