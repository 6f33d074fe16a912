// gc_mark: how fast is the search? One graph that lives, collected again and again.
//
//     gc_mark [-s SCALE] [-l BYTES] loam-in-place|boehm [shape]
//
//     tree     objects of 32 bytes in a binary tree, in the order of their addresses
//     random   the same, each tree node somewhere, and a third pointer to anywhere
//     list     one list in the order of addresses: each object is known only from the last
//     array    objects of 4 KiB full of pointers to anywhere
//     row      objects of 128 bytes with two pointers to the next one, all named by one array
//     leaf     the same without pointers
//
// `-l` is what lives, 256M by default. Rate is bytes of live objects through CPU time; a collection
// in place is measured, because a copy's time is the same, but elsewhere.

#include "gc.h"

#include <time.h>

static struct peer peer;

static void shuffle(void **a, size_t n, struct rng *r)
{
    for (size_t i = n - 1; i > 0; i--) {
        size_t j = rng_below(r, i + 1);
        void *t = a[i];
        a[i] = a[j];
        a[j] = t;
    }
}

// The objects' addresses stand in an array that no collector looks into.
static void **objects_new(size_t n, size_t size, bool leaf, bool by_array)
{
    void **at = take((n + 1) * sizeof *at);
    void **keep = peer.take(n * sizeof *keep); // until they are linked
    check(keep != NULL);
    for (size_t i = 0; i < n; i++) {
        at[i] = keep[i] = leaf ? peer.leaf(size) : peer.take(size);
        check(at[i] != NULL);
    }
    if (by_array)
        at[n] = keep;
    return at;
}

static void *graph_new(const char *shape, size_t bytes)
{
    struct rng r = rng_seeded(5);
    bool leaf = strcmp(shape, "leaf") == 0, array = strcmp(shape, "array") == 0;
    bool list = strcmp(shape, "list") == 0, scattered = strcmp(shape, "random") == 0;
    bool row = strcmp(shape, "row") == 0;
    size_t size = leaf || row ? 128 : array ? 4096 : 32, n = bytes / size;
    void **at = objects_new(n, size, leaf, leaf || row);
    if (scattered)
        shuffle(at, n, &r);
    for (size_t i = 0; i < n && !leaf; i++) {
        void **o = at[i];
        for (size_t k = 0; array && k < size / sizeof *o; k++)
            o[k] = at[rng_below(&r, n)];
        if (list || row)
            o[0] = o[1] = i + 1 < n ? at[i + 1] : NULL;
        if (!list && !row && !array) {
            o[0] = 2 * i + 1 < n ? at[2 * i + 1] : NULL;
            o[1] = 2 * i + 2 < n ? at[2 * i + 2] : NULL;
            o[2] = scattered ? at[rng_below(&r, n)] : NULL;
        }
    }
    void *root = leaf || row ? at[n] : at[0];
    free(at);
    return root;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.live = 256 * MiB, .mode = "tree"});
    const char *shape = optind + 1 < argc ? argv[optind + 1] : "tree";
    peer = peer_of(b.mode);
    check(peer.collect != NULL);
    void *volatile root = graph_new(shape, b.live);
    peer.collect();
    double best = 1e9;
    for (size_t i = 0, n = scaled(&b, 5); i < n; i++) {
        double start = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
        peer.collect();
        double took = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
        best = took < best ? took : best;
    }
    check(root != NULL);
    metric("collection", best * 1e3, "ms");
    metric("rate", (double)b.live / best / 1e9, "GB/s");
    tell_loam();
    return 0;
}
