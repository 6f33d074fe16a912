// growth: buffers that grow by realloc, as strings, arrays and files being read do.
//
// half: eight buffers grow in turn from 16 bytes to 0.9 MB, each time by a half.
// append: one buffer grows to 64 MiB by steps of 64 KiB: an allocator that copies each time
// moves 32 GiB.
// both, the default, does one after the other.

#include "bench.h"

enum { BUFFERS = 8, HALF_MAX = 900 * 1000, STEP = 64 * 1024 };

static unsigned char *grow(unsigned char *p, size_t old_size, size_t size)
{
    p = realloc(p, size);
    check(p != NULL);
    check(old_size == 0 || (p[0] == 7 && p[old_size - 1] == (old_size & 0xff)));
    p[0] = 7;
    p[size - 1] = (unsigned char)(size & 0xff);
    return p;
}

static void by_half(void)
{
    unsigned char *buffer[BUFFERS] = {NULL};
    size_t old_size = 0;
    for (size_t size = 16; size < HALF_MAX; size += size / 2) {
        for (size_t i = 0; i < BUFFERS; i++)
            buffer[i] = grow(buffer[i], old_size, size);
        old_size = size;
    }
    for (size_t i = 0; i < BUFFERS; i++)
        free(buffer[i]);
}

static void by_append(void)
{
    unsigned char *buffer = NULL;
    for (size_t size = STEP; size <= 64 * MiB; size += STEP) {
        buffer = grow(buffer, size - STEP, size);
        touch(buffer + size - STEP, STEP);
        buffer[0] = 7;
        buffer[size - 1] = (unsigned char)(size & 0xff);
    }
    free(buffer);
}

int main(int argc, char **argv)
{
    struct bench b = bench_args(argc, argv, (struct bench){.threads = 1, .mode = "both"});
    bool half = strcmp(b.mode, "append") != 0, append = strcmp(b.mode, "half") != 0;
    for (size_t i = 0, n = half ? scaled(&b, 120) : 0; i < n; i++)
        by_half();
    for (size_t i = 0, n = append ? scaled(&b, 5) : 0; i < n; i++)
        by_append();
    puts("all buffers kept their content");
    return 0;
}
