// gc_trees: binary trees, as the Computer Language Benchmarks Game has them: a long-lived one, and
// many that are built, counted and dropped.
//
//     gc_trees [-s SCALE] [-l DEPTH] loam|loam-in-place|boehm|malloc
//
// DEPTH is 20 as the game has it; `-l 16` takes a sixteenth of the time. With malloc every tree is
// freed by a walk. CPU time and peak memory are measured from outside (`loam bench`, time(1)).

#include "gc.h"

struct node {
    struct node *left, *right;
};

static struct peer peer;

static struct node *tree_new(unsigned depth)
{
    struct node *n = peer.take(sizeof *n);
    check(n != NULL);
    if (depth > 0) {
        n->left = tree_new(depth - 1);
        n->right = tree_new(depth - 1);
    }
    return n;
}

static size_t tree_count(const struct node *n)
{
    return n->left == NULL ? 1 : 1 + tree_count(n->left) + tree_count(n->right);
}

static void tree_free(struct node *n)
{
    if (n->left != NULL) {
        tree_free(n->left);
        tree_free(n->right);
    }
    peer.give(n);
}

static size_t once(unsigned depth)
{
    struct node *n = tree_new(depth);
    size_t count = tree_count(n);
    if (peer.give != NULL)
        tree_free(n);
    return count;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.live = 20});
    unsigned depth = (unsigned)b.live;
    peer = peer_of(b.mode);
    check(once(depth + 1) == ((size_t)4 << depth) - 1);
    struct node *volatile keep = tree_new(depth);
    struct watch w = {0, 0};
    for (unsigned d = 4; d <= depth; d += 2) {
        size_t n = scaled(&b, (double)((size_t)1 << (depth - d + 4)));
        for (size_t i = 0; i < n; i++) {
            check(once(d) == ((size_t)2 << d) - 1);
            if (d <= 8)
                watch_look(&w);
        }
        w.last = 0;
    }
    check(tree_count(keep) == ((size_t)2 << depth) - 1);
    metric("cpu", clock_seconds(CLOCK_PROCESS_CPUTIME_ID), "s");
    metric("longest_stop", w.longest * 1e3, "ms");
    tell_loam();
    return 0;
}
