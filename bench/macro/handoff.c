// handoff: producers take blocks, consumers free them, and that is all (the kind of xmalloc-test).
//
// No block is ever freed by the thread that took it. An allocator that keeps freed blocks with the
// thread that freed them grows without bound; one that sends each home singly pays for that.
//
// -t: producers; there are as many consumers.

#include "bench.h"

enum { BATCH = 120, QUEUE_MAX = 64 };

struct batch {
    struct batch *next;
    unsigned char *block[BATCH];
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    struct batch *first;
    unsigned length;
    unsigned producers; // still at work
} queue = {
    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0, 0};

static void queue_put(struct batch *batch)
{
    pthread_mutex_lock(&queue.lock);
    while (queue.length >= QUEUE_MAX)
        pthread_cond_wait(&queue.emptied, &queue.lock);
    batch->next = queue.first;
    queue.first = batch;
    queue.length++;
    pthread_cond_signal(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

static struct batch *queue_get(void) // NULL: all is done
{
    pthread_mutex_lock(&queue.lock);
    while (queue.first == NULL && queue.producers > 0)
        pthread_cond_wait(&queue.filled, &queue.lock);
    struct batch *batch = queue.first;
    if (batch != NULL) {
        queue.first = batch->next;
        queue.length--;
        pthread_cond_signal(&queue.emptied);
    }
    pthread_mutex_unlock(&queue.lock);
    return batch;
}

struct worker {
    bool produces;
    uint64_t seed;
    size_t batches;
    size_t bytes;
};

static void produce(struct worker *w)
{
    struct rng r = rng_seeded(w->seed);
    for (size_t i = 0; i < w->batches; i++) {
        struct batch *batch = take(sizeof *batch);
        for (size_t k = 0; k < BATCH; k++) {
            size_t size = rng_size(&r, 16, 512);
            batch->block[k] = take(size);
            memcpy(batch->block[k], &size, sizeof size);
        }
        queue_put(batch);
    }
    pthread_mutex_lock(&queue.lock);
    queue.producers--;
    pthread_cond_broadcast(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

static void consume(struct worker *w)
{
    for (struct batch *batch; (batch = queue_get()) != NULL; free(batch)) {
        for (size_t k = 0; k < BATCH; k++) {
            size_t size;
            memcpy(&size, batch->block[k], sizeof size);
            w->bytes += size;
            free(batch->block[k]);
        }
    }
}

static void *work(void *argument)
{
    struct worker *w = argument;
    if (w->produces)
        produce(w);
    else
        consume(w);
    return NULL;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 2});
    struct worker w[BENCH_THREADS_MAX];
    unsigned n = 2 * b.threads;
    check(b.threads >= 1 && n <= BENCH_THREADS_MAX);
    for (unsigned i = 0; i < n; i++)
        w[i] = (struct worker){
            .produces = i < b.threads, .seed = 17 + i, .batches = scaled(&b, 80e3) / b.threads};
    queue.producers = b.threads;
    threads_run(n, work, w, sizeof w[0]);
    size_t bytes = 0;
    for (unsigned i = 0; i < n; i++)
        bytes += w[i].bytes;
    printf("%zu bytes handed over\n", bytes);
    return 0;
}
