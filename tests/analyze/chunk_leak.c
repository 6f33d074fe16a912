// Memory of the kernel that nobody gives back.
// gcc: malloc-leak
#include <loam/chunk.h>
int wrong(void)
{
    char *p = loam_mem_chunk(4096, LOAM_CHUNK_MMAP);
    if (p == NULL)
        return 1;
    p[0] = 1;
    return p[0];
}
