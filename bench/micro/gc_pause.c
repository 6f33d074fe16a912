// gc_pause: how long does a program stand still that keeps 1 GB and goes on changing it?
//
//     gc_pause [-s SCALE] [-l BYTES] loam|loam-in-place|boehm
//
// A table of lists fills BYTES; then random lists are cut and grown again, which is garbage at a
// steady rate. `longest_stop` is what the program sees; `pause_max` what the collector says, also
// of the time before all is filled; `pause_max_full` of the time after.

#include "gc.h"

enum { LIST = 64 }; // objects a list

struct node {
    struct node *next;
    size_t value[3];
};

static struct peer peer;

static struct node *list_new(size_t value)
{
    struct node *first = NULL;
    for (size_t i = 0; i < LIST; i++) {
        struct node *n = peer.take(sizeof *n);
        check(n != NULL);
        n->next = first;
        n->value[0] = value;
        first = n;
    }
    return first;
}

// The longest pause since the table was full, as the collector tells it.
struct pauses {
    uint64_t total, longest;
};
static void pauses_look(struct pauses *p)
{
    if (peer_gc == NULL)
        return;
    loam_gc_stats s = loam_gc_usage(peer_gc);
    if (s.pause_ns_total != p->total && p->total != 0 && s.pause_ns_last > p->longest)
        p->longest = s.pause_ns_last;
    p->total = s.pause_ns_total;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.live = GiB});
    size_t lists = b.live / (LIST * sizeof(struct node));
    peer = peer_of(b.mode);
    check(peer.collect != NULL);
    struct node **table = peer.take(lists * sizeof *table);
    check(table != NULL);
    struct watch w = {0, 0};
    for (size_t i = 0; i < lists; i++) {
        table[i] = list_new(i);
        watch_look(&w);
    }
    metric("longest_stop_growing", w.longest * 1e3, "ms");
    w = (struct watch){0, 0};
    struct pauses pauses = {0, 0};
    pauses_look(&pauses);
    struct rng r = rng_seeded(9);
    for (size_t i = 0, n = scaled(&b, 3.0 * (double)lists); i < n; i++) {
        size_t k = rng_below(&r, lists);
        check(table[k]->value[0] == k);
        table[k] = list_new(k);
        watch_look(&w);
        pauses_look(&pauses);
    }
    metric("longest_stop", w.longest * 1e3, "ms");
    if (peer_gc != NULL)
        metric("pause_max_full", (double)pauses.longest / 1e6, "ms");
    metric("cpu", clock_seconds(CLOCK_PROCESS_CPUTIME_ID), "s");
    tell_loam();
    return 0;
}
