// large: twenty blocks of 5 to 25 MiB, replaced at random, each OS page written once (the kind of
// malloc-large).
//
// Every block is new memory unless the allocator kept some: its choice between the price of page
// faults and the size of the process is what is measured.

#include "bench.h"

enum { SLOTS = 20 };

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1});
    struct rng r = rng_seeded(67);
    unsigned char *slot[SLOTS] = {NULL};
    size_t size_of[SLOTS] = {0};
    for (size_t i = 0, n = scaled(&b, 200); i < n; i++) {
        size_t k = rng_below(&r, SLOTS);
        check(slot[k] == NULL || slot[k][size_of[k] - 1] == (unsigned char)size_of[k]);
        free(slot[k]);
        size_of[k] = rng_between(&r, 5 * MiB, 25 * MiB);
        slot[k] = take(size_of[k]);
        touch(slot[k], size_of[k]);
        slot[k][size_of[k] - 1] = (unsigned char)size_of[k];
    }
    for (size_t k = 0; k < SLOTS; k++)
        free(slot[k]);
    puts("every last byte was right");
    return 0;
}
