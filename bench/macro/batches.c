// batches: blocks of mixed sizes, taken in batches and freed in other orders (the kinds of sh6bench
// and sh8bench).
//
// six: a batch holds runs of blocks of one size, small sizes in longer runs. Of every batch, part
// is freed forward at once, part backward, and part lives on until some later batch.
// eight: the same, and each block's size is drawn anew, and what lives on is handed to the next
// thread of the ring, which frees it.
//
// -t: threads, which share the work.

#include "bench.h"

enum { RUNS = 24, BATCH_MAX = 2048, KEPT_MAX = 8 };

struct batch {
    size_t count;
    unsigned char *block[BATCH_MAX];
};

// Where a thread of mode eight leaves what the next one is to free.
struct mailbox {
    pthread_mutex_t lock;
    struct batch *batch;
};

struct worker {
    bool eight;
    uint64_t seed;
    size_t batches;
    struct mailbox *out, *in;
    uint64_t sum;
};

static unsigned char *block_new(size_t size)
{
    unsigned char *p = take(size);
    p[0] = (unsigned char)size;
    return p;
}

static struct batch *batch_new(struct rng *r, bool mixed)
{
    struct batch *batch = take(sizeof *batch);
    batch->count = 0;
    for (size_t run = 0; run < RUNS; run++) {
        size_t size = rng_size(r, 8, 1000), length = 2 + 600 / (size + 8);
        for (size_t i = 0; i < length; i++)
            batch->block[batch->count++] = block_new(mixed ? rng_between(r, 1, size) : size);
    }
    return batch;
}

static void free_at(struct worker *w, struct batch *batch, size_t i)
{
    if (batch->block[i] != NULL)
        w->sum += batch->block[i][0];
    free(batch->block[i]);
    batch->block[i] = NULL;
}

// Every third block forward, then another third backward; the last third stays.
static void thin_out(struct worker *w, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i += 3)
        free_at(w, batch, i);
    for (size_t i = batch->count; i-- > 0;) {
        if (i % 3 == 1)
            free_at(w, batch, i);
    }
}

static void batch_free(struct worker *w, struct batch *batch)
{
    for (size_t i = 0; batch != NULL && i < batch->count; i++)
        free_at(w, batch, i);
    free(batch);
}

static struct batch *exchange(struct mailbox *box, struct batch *batch)
{
    pthread_mutex_lock(&box->lock);
    struct batch *old = box->batch;
    box->batch = batch;
    pthread_mutex_unlock(&box->lock);
    return old;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct rng r = rng_seeded(w->seed);
    struct batch *kept[KEPT_MAX] = {NULL};
    for (size_t i = 0; i < w->batches; i++) {
        struct batch *batch = batch_new(&r, w->eight);
        thin_out(w, batch);
        struct batch **place = &kept[rng_below(&r, KEPT_MAX)];
        if (w->eight) {
            batch_free(w, exchange(w->out, *place));
            batch_free(w, exchange(w->in, NULL));
        } else {
            batch_free(w, *place);
        }
        *place = batch;
    }
    for (size_t i = 0; i < KEPT_MAX; i++)
        batch_free(w, kept[i]);
    return NULL;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1, .mode = "six"});
    struct worker w[BENCH_THREADS_MAX], last = {.sum = 0};
    struct mailbox box[BENCH_THREADS_MAX];
    bool eight = strcmp(b.mode, "eight") == 0;
    check(b.threads >= 1 && b.threads <= BENCH_THREADS_MAX);
    check(eight || strcmp(b.mode, "six") == 0);
    for (unsigned i = 0; i < b.threads; i++) {
        box[i] = (struct mailbox){PTHREAD_MUTEX_INITIALIZER, NULL};
        w[i] = (struct worker){.eight = eight,
                               .seed = 31 + i,
                               .batches = scaled(&b, 80e3) / b.threads,
                               .out = &box[(i + 1) % b.threads],
                               .in = &box[i]};
    }
    threads_run(b.threads, work, w, sizeof w[0]);
    for (unsigned i = 0; i < b.threads; i++) {
        batch_free(&last, box[i].batch);
        last.sum += w[i].sum;
    }
    printf("sum %llu\n", (unsigned long long)last.sum);
    return 0;
}
