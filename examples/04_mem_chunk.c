// 04_mem_chunk.c: asking the kernel in both ways, and keeping track.
//
// loam_mem_chunk wraps the two lessons before: it asks by sbrk or by mmap, returns the pointer, and
// writes down what it got. A record of everything is what makes memory manageable: it can be
// listed, counted and given back. Build it with `cc 04_mem_chunk.c -lloam`.
#include <loam/chunk.h>
#include <stdio.h>
#include <string.h>

static void list_chunks(const char *when)
{
    printf("%s\n", when);
    loam_chunk c;
    for (size_t i = 0; loam_mem_chunk_at(i, &c); i++)
        printf("    %14p  %6zu bytes  %s%s%s\n", c.addr, c.size, loam_chunk_source_name(c.source),
               c.heap ? ", loam's own" : "", c.released ? ", released, waiting" : "");
    printf("    in use: %zu chunks, %zu bytes\n\n", loam_mem_chunk_count(), loam_mem_chunk_bytes());
}

static size_t waiting(void)
{
    loam_chunk c;
    size_t n = 0;
    for (size_t i = 0; loam_mem_chunk_at(i, &c); i++)
        n += c.released;
    return n;
}

int main(void)
{
    // Without a buffer: printf would get it from malloc, which may move the end of the segment.
    setvbuf(stdout, NULL, _IONBF, 0);
    char *a = loam_mem_chunk(5000, LOAM_CHUNK_SBRK); // rounded up to two pages of 4096
    char *b = loam_mem_chunk(100, LOAM_CHUNK_SBRK);  // right behind a
    char *c = loam_mem_chunk(100000, LOAM_CHUNK_MMAP);
    if (a == NULL || b == NULL || c == NULL) {
        perror("loam_mem_chunk"); // the kernel said no: ENOMEM
        return 1;
    }
    strcpy(a, "first");
    strcpy(b, "second");
    strcpy(c, "third");
    list_chunks("Three chunks. The record keeps itself in a mapping, so that stands there too:");
    size_t count = loam_mem_chunk_count();

    // The data segment shrinks only from its end: a waits until b is gone. Its RAM goes at once.
    loam_mem_chunk_release(a);
    list_chunks("The lower sbrk chunk is released: its addresses wait for the one above:");
    bool ok = waiting() == 1 && strcmp(b, "second") == 0;

    loam_mem_chunk_release(b);
    list_chunks("The upper one too: both are gone, the data segment is what it was:");
    ok = ok && waiting() == 0;

    // A mapping stands alone and goes alone.
    char *volatile again = c; // compilers warn, and are right to
    loam_mem_chunk_release(c);
    list_chunks("And the mapping:");

    bool twice = loam_mem_chunk_release(again) == 0;
    printf("releasing it twice %s\n", twice ? "works, which it should not" : "is refused");
    return ok && !twice && loam_mem_chunk_count() == count - 3 ? 0 : 1;
}
