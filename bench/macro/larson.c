// larson: a server whose sessions are handed from thread to thread (after Larson and Krishnan,
// "Memory allocation for long-running server applications", 1998).
//
// Each thread owns a set of 1,000 blocks and replaces random ones. After a while it starts a
// new thread, hands it the set, and ends: so most blocks are freed by a thread that did not take
// them, often one whose giver no longer lives.
//
// -t: sets, each with one live thread at a time; they share the work.

#include "bench.h"

enum { BLOCKS = 1000, GENERATIONS = 20 };

struct set {
    struct rng r;
    size_t steps; // of one generation
    unsigned generation;
    uint64_t sum;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
    unsigned char *block[BLOCKS];
};

static unsigned char *block_new(struct rng *r)
{
    size_t size = rng_between(r, 8, 1000);
    unsigned char *p = take(size);
    p[0] = (unsigned char)size;
    p[size - 1] = (unsigned char)size;
    return p;
}

static void *generation(void *argument)
{
    struct set *s = argument;
    for (size_t i = 0; i < s->steps; i++) {
        unsigned char **at = &s->block[rng_below(&s->r, BLOCKS)];
        s->sum += **at;
        free(*at);
        *at = block_new(&s->r);
    }
    if (++s->generation < GENERATIONS) {
        pthread_detach(thread_start(generation, s));
        return NULL;
    }
    pthread_mutex_lock(&s->lock);
    s->done = true;
    pthread_cond_signal(&s->ended);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void set_start(struct set *s, uint64_t seed, size_t steps)
{
    s->r = rng_seeded(seed);
    s->steps = steps;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->ended, NULL);
    for (size_t i = 0; i < BLOCKS; i++)
        s->block[i] = block_new(&s->r);
    pthread_detach(thread_start(generation, s));
}

static uint64_t set_finish(struct set *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->done)
        pthread_cond_wait(&s->ended, &s->lock);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < BLOCKS; i++)
        free(s->block[i]);
    return s->sum;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 4});
    static struct set set[BENCH_THREADS_MAX];
    check(b.threads >= 1 && b.threads <= BENCH_THREADS_MAX);
    uint64_t sum = 0;
    for (unsigned i = 0; i < b.threads; i++)
        set_start(&set[i], 11 + i, scaled(&b, 40e6 / GENERATIONS / b.threads));
    for (unsigned i = 0; i < b.threads; i++)
        sum += set_finish(&set[i]);
    printf("sum %llu\n", (unsigned long long)sum);
    return 0;
}
