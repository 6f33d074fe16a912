// Blocks, allocator values and channels, each given back once.
#include <loam/alloc.h>
#include <loam/chunk.h>
#include <loam/heap.h>
#include <loam/task.h>
int block(size_t n)
{
    char *p = loam_malloc(n), *q = loam_calloc(n + 1, 2);
    if (p != NULL && q != NULL)
        *p = *q;
    loam_free(p);
    loam_free(q);
    return 0;
}
int value(loam_alloc a)
{
    loam_layout l = loam_layout_array(loam_layout_of(long), 10);
    long *p = loam_alloc_new_zeroed(a, l);
    if (p == NULL)
        return -1;
    p[0] = 1;
    loam_alloc_free(a, p, l);
    return 0;
}
int channel(int n)
{
    loam_chan *c = loam_chan_new(sizeof n, 1);
    if (c == NULL)
        return -1;
    int e = loam_chan_send(c, &n);
    loam_chan_free(c);
    return e;
}
int chunk(void)
{
    char *p = loam_mem_chunk(4096, LOAM_CHUNK_MMAP);
    if (p == NULL)
        return -1;
    p[0] = 1;
    return loam_mem_chunk_release(p);
}
