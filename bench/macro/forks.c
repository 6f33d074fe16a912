// forks: a process whose threads allocate all the time forks again and again.
//
// Each child finds the heap as it was in the middle of four other threads' calls. It frees blocks
// that it inherited, takes others, and ends. A child that hangs is the worst case: the runner's
// time limit tells.
//
// -t: threads that allocate meanwhile.

#include "bench.h"

#include <stdatomic.h>
#include <sys/wait.h>

enum { SLOTS = 256 };

static atomic_bool over;

static void *allocate(void *argument)
{
    struct rng r = rng_seeded(*(uint64_t *)argument);
    unsigned char *slot[SLOTS] = {NULL};
    while (!atomic_load_explicit(&over, memory_order_relaxed)) {
        for (size_t i = 0; i < 1000; i++) {
            unsigned char **at = &slot[rng_below(&r, SLOTS)];
            free(*at);
            *at = take(rng_size(&r, 16, 8192));
            **at = 1;
        }
        sleep_ms(1);
    }
    for (size_t i = 0; i < SLOTS; i++)
        free(slot[i]);
    return NULL;
}

static void fill(unsigned char **slot, struct rng *r)
{
    for (size_t i = 0; i < SLOTS; i++) {
        size_t size = rng_size(r, 16, 65536);
        slot[i] = take(size);
        slot[i][0] = (unsigned char)i;
        slot[i][size - 1] = 1;
    }
}

static void empty(unsigned char **slot)
{
    for (size_t i = 0; i < SLOTS; i++) {
        check(slot[i][0] == (unsigned char)i);
        free(slot[i]);
    }
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 4});
    pthread_t thread[BENCH_THREADS_MAX];
    uint64_t seed[BENCH_THREADS_MAX];
    unsigned char *slot[SLOTS];
    struct rng r = rng_seeded(83);
    check(b.threads < BENCH_THREADS_MAX);
    for (unsigned i = 0; i < b.threads; i++) {
        seed[i] = i;
        thread[i] = thread_start(allocate, &seed[i]);
    }
    fill(slot, &r);
    for (size_t i = 0, n = scaled(&b, 300); i < n; i++) {
        pid_t child = fork();
        check(child >= 0);
        if (child == 0) {
            empty(slot);
            fill(slot, &r);
            empty(slot);
            _exit(0);
        }
        int status;
        check(waitpid(child, &status, 0) == child && status == 0);
    }
    empty(slot);
    atomic_store(&over, true);
    for (unsigned i = 0; i < b.threads; i++)
        pthread_join(thread[i], NULL);
    puts("every child came back");
    return 0;
}
