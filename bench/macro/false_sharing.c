// false_sharing: two traps from Hoard's suite (Berger and others, 2000), as modes.
//
// thrash: each thread takes a small block, writes it many times and frees it, again and again. An
// allocator that gives neighbours in one cache line to two threads makes that line bounce.
//
// scratch: one thread takes a block for each other thread, next to one another, and hands them out.
// Each thread frees the one it was given, then works as above: an allocator that lets
// the freed block be taken again by the thread that freed it keeps the sharing alive for ever.
//
// -t: threads, which share the work.

#include "bench.h"

enum { SIZE = 8, WRITES = 300 };

struct worker {
    volatile unsigned char *given; // NULL in mode thrash
    size_t rounds;
};

static void write_often(volatile unsigned char *block)
{
    for (size_t k = 0; k < WRITES; k++)
        block[k % SIZE]++;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    if (w->given != NULL)
        write_often(w->given);
    free((void *)w->given);
    for (size_t i = 0; i < w->rounds; i++) {
        volatile unsigned char *block = take(SIZE);
        for (size_t k = 0; k < SIZE; k++)
            block[k] = (unsigned char)k;
        write_often(block);
        // Each byte was raised once in every SIZE writes.
        for (size_t k = 0; k < SIZE; k++)
            check(block[k] == (unsigned char)(k + WRITES / SIZE + (k < WRITES % SIZE)));
        free((void *)block);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 2, .mode = "thrash"});
    struct worker w[BENCH_THREADS_MAX];
    bool scratch = strcmp(b.mode, "scratch") == 0;
    check(b.threads >= 1 && b.threads <= BENCH_THREADS_MAX);
    check(scratch || strcmp(b.mode, "thrash") == 0);
    for (unsigned i = 0; i < b.threads; i++) {
        w[i] = (struct worker){.given = scratch ? take(SIZE) : NULL,
                               .rounds = scaled(&b, 2.4e6) / b.threads};
        if (scratch)
            memset((void *)w[i].given, 0, SIZE);
    }
    threads_run(b.threads, work, w, sizeof w[0]);
    puts("every byte counted right");
    return 0;
}
