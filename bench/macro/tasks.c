// tasks: a new thread for every task, thousands of them.
//
// A task takes a few hundred blocks, frees most, returns one result to the thread that started it,
// and ends. What counts is the price of an allocator's first and last act in a thread, and whether
// what a dead thread left behind is used again.
//
// -t: tasks that run at the same time.

#include "bench.h"

enum { BLOCKS = 200 };

struct task {
    uint64_t seed;
    pthread_t thread;
};

struct result {
    size_t bytes;
    char text[100];
};

static void *task(void *argument)
{
    struct task *t = argument;
    struct rng r = rng_seeded(t->seed);
    unsigned char *block[BLOCKS];
    struct result *result = take(sizeof *result);
    result->bytes = 0;
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = rng_size(&r, 16, 2048);
        block[i] = take(size);
        block[i][size - 1] = 1;
        result->bytes += size;
    }
    for (size_t i = 0; i < BLOCKS; i++)
        free(block[i]);
    snprintf(result->text, sizeof result->text, "task %llu", (unsigned long long)t->seed);
    return result;
}

static size_t task_join(struct task *t)
{
    void *returned;
    char text[100];
    check(pthread_join(t->thread, &returned) == 0);
    struct result *result = returned;
    size_t bytes = result->bytes;
    snprintf(text, sizeof text, "task %llu", (unsigned long long)t->seed);
    check(strcmp(text, result->text) == 0);
    free(result);
    return bytes;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 4});
    struct task task_of[BENCH_THREADS_MAX];
    check(b.threads >= 1 && b.threads <= BENCH_THREADS_MAX);
    size_t bytes = 0;
    for (size_t i = 0, n = scaled(&b, 24e3); i < n; i += b.threads) {
        for (unsigned k = 0; k < b.threads; k++) {
            task_of[k].seed = i + k;
            task_of[k].thread = thread_start(task, &task_of[k]);
        }
        for (unsigned k = 0; k < b.threads; k++)
            bytes += task_join(&task_of[k]);
    }
    printf("%zu bytes in all tasks\n", bytes);
    return 0;
}
