// simple: batches of blocks of one size, taken and given back by one thread (the kind of
// glibc-simple).
//
// For each size, batches of 25 to 1,600 blocks are taken, then freed in the same order, then taken
// and freed in the opposite one. The smallest batches fit every thread cache there is, the largest
// fit none.

#include "bench.h"

static const size_t batches[] = {25, 100, 400, 1600};
static const size_t sizes[] = {8, 24, 48, 96, 160, 500, 1000, 4000};

static void take_batch(char **block, size_t n, size_t size)
{
    for (size_t i = 0; i < n; i++) {
        block[i] = take(size);
        block[i][0] = (char)i;
        block[i][size - 1] = (char)size;
    }
}

static void give_back(char **block, size_t i, size_t size)
{
    check(block[i][0] == (char)i && block[i][size - 1] == (char)size);
    free(block[i]);
}

static void round_of(char **block, size_t n, size_t size)
{
    take_batch(block, n, size);
    for (size_t i = 0; i < n; i++)
        give_back(block, i, size);
    take_batch(block, n, size);
    for (size_t i = n; i-- > 0;)
        give_back(block, i, size);
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1});
    size_t pairs = scaled(&b, 400000);
    char *block[1600];
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t k = 0; k < sizeof batches / sizeof batches[0]; k++) {
            for (size_t done = 0; done < pairs; done += 2 * batches[k])
                round_of(block, batches[k], sizes[s]);
        }
    }
    puts("all batches came back whole");
    return 0;
}
