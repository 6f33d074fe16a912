// crossing: blocks up to 16 KiB in loops of many, a share of which other threads free (the kind of
// rptest, rpmalloc's benchmark).
//
// Each thread takes rows of blocks, fills them with a pattern, checks and frees some at once, and
// puts the rest on its neighbour's pile, a lock-free list. It then empties its own pile. So local
// and foreign frees, small and middle sizes, come mixed.
//
// -t: threads, which share the work.

#include "bench.h"

#include <stdatomic.h>

enum { ROW = 150, SMALLEST = 24, LARGEST = 16000 };

struct block {
    struct block *next;
    size_t size;
    unsigned char rest[];
};

struct worker {
    uint64_t seed;
    size_t rows;
    struct worker *neighbour;
    _Atomic(struct block *) pile;
    size_t freed;
};

static struct block *block_new(struct rng *r)
{
    size_t size = rng_size(r, SMALLEST, LARGEST);
    struct block *p = take(size);
    p->size = size;
    memset(p->rest, (int)(size & 0xff), size - sizeof *p);
    return p;
}

static void block_free(struct worker *w, struct block *p)
{
    size_t rest = p->size - sizeof *p;
    check(p->rest[0] == (p->size & 0xff) && p->rest[rest - 1] == (p->size & 0xff));
    w->freed++;
    free(p);
}

static void pile_put(struct worker *w, struct block *p)
{
    p->next = atomic_load_explicit(&w->pile, memory_order_relaxed);
    // release: pairs with the exchange in pile_clear; the block's words go along.
    while (!atomic_compare_exchange_weak_explicit(&w->pile, &p->next, p, memory_order_release,
                                                  memory_order_relaxed)) {
    }
}

// The whole pile is taken at once, so no block can come back between (no ABA).
static void pile_clear(struct worker *w)
{
    struct block *p = atomic_exchange_explicit(&w->pile, NULL, memory_order_acquire);
    while (p != NULL) {
        struct block *next = p->next;
        block_free(w, p);
        p = next;
    }
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct rng r = rng_seeded(w->seed);
    struct block *row[ROW];
    for (size_t i = 0; i < w->rows; i++) {
        for (size_t k = 0; k < ROW; k++)
            row[k] = block_new(&r);
        for (size_t k = 0; k < ROW; k++) {
            if (k % 3 == 2)
                pile_put(w->neighbour, row[k]);
            else
                block_free(w, row[k]);
        }
        pile_clear(w);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 4});
    static struct worker w[BENCH_THREADS_MAX];
    size_t freed = 0;
    check(b.threads >= 1 && b.threads <= BENCH_THREADS_MAX);
    for (unsigned i = 0; i < b.threads; i++) {
        w[i].seed = 53 + i;
        w[i].rows = scaled(&b, 14e3) / b.threads;
        w[i].neighbour = &w[(i + 1) % b.threads];
    }
    threads_run(b.threads, work, w, sizeof w[0]);
    for (unsigned i = 0; i < b.threads; i++) {
        pile_clear(&w[i]);
        freed += w[i].freed;
    }
    printf("%zu blocks were whole\n", freed);
    return 0;
}
