// freer: several threads take blocks, one thread frees them all, and never takes any.
//
// The thread that only frees makes no call in which an allocator could tidy up its own heap: if
// what it frees is kept there, the process grows. `grown` tells by how much the process grew from
// the end of the first tenth of the work to the end of it.
//
// -t: threads that take.

#include "bench.h"

enum { BATCH = 256, BATCHES = 16 };

// From one taker to the freer: batches in a ring, none of them on the heap.
struct pipe {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t put, got; // batches so far
    unsigned char *block[BATCHES][BATCH];
};

struct taker {
    struct pipe pipe;
    uint64_t seed;
    size_t batches;
};

// Move on `counter`, after which the other side may use one batch more.
static void advance(struct pipe *p, size_t *counter)
{
    pthread_mutex_lock(&p->lock);
    ++*counter;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

// Wait until put - got is neither 0, for the freer, nor BATCHES, for the taker.
static void wait_while(struct pipe *p, size_t filled)
{
    pthread_mutex_lock(&p->lock);
    while (p->put - p->got == filled)
        pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

static void *take_blocks(void *argument)
{
    struct taker *t = argument;
    struct rng r = rng_seeded(t->seed);
    for (size_t i = 0; i < t->batches; i++) {
        wait_while(&t->pipe, BATCHES);
        for (size_t k = 0; k < BATCH; k++) {
            unsigned char *p = take(rng_size(&r, 16, 4096));
            p[0] = (unsigned char)(i + k);
            t->pipe.block[i % BATCHES][k] = p;
        }
        advance(&t->pipe, &t->pipe.put);
    }
    return NULL;
}

static void free_batch(struct pipe *p, size_t i)
{
    wait_while(p, 0);
    for (size_t k = 0; k < BATCH; k++) {
        unsigned char *block = p->block[i % BATCHES][k];
        check(block[0] == (unsigned char)(i + k));
        free(block);
    }
    advance(p, &p->got);
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 2});
    pthread_t thread[BENCH_THREADS_MAX];
    check(b.threads >= 1 && b.threads <= BENCH_THREADS_MAX);
    size_t batches = 10 + scaled(&b, 32e3) / b.threads, early = 0;
    struct taker *t = calloc(b.threads, sizeof *t);
    check(t != NULL);
    for (unsigned i = 0; i < b.threads; i++) {
        pthread_mutex_init(&t[i].pipe.lock, NULL);
        pthread_cond_init(&t[i].pipe.changed, NULL);
        t[i].seed = 23 + i;
        t[i].batches = batches;
        thread[i] = thread_start(take_blocks, &t[i]);
    }
    for (size_t i = 0; i < batches; i++) {
        if (i == batches / 10)
            early = resident();
        for (unsigned k = 0; k < b.threads; k++)
            free_batch(&t[k].pipe, i);
    }
    for (unsigned i = 0; i < b.threads; i++)
        pthread_join(thread[i], NULL);
    metric("grown", (double)resident() / (double)early, "x");
    free(t);
    printf("%zu batches came through\n", batches * b.threads);
    return 0;
}
