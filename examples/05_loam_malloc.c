// 05_loam_malloc.c: an allocator on top of chunks.
//
// The kernel gives memory in pages; programs want it in bytes. An allocator stands between: it asks
// for large chunks, cuts them into blocks, and hands freed blocks out again. This program uses
// loam's under its own names, beside the libc's malloc, which stays what it was. Build it with
// `cc 05_loam_malloc.c /usr/local/lib/libloam.a -pthread`.
#include <errno.h>
#include <loam/chunk.h>
#include <loam/heap.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define COUNT 1000

static bool check(bool good, const char *what)
{
    printf("%s %s\n", good ? "yes:" : "NO: ", what);
    return good;
}

// Blocks are far cheaper than chunks: a thousand of them fit into a few pages of one mapping.
static bool many_small_ones(void)
{
    static char *name[COUNT];
    size_t chunks_before = loam_mem_chunk_count();
    for (int i = 0; i < COUNT; i++) {
        name[i] = loam_malloc(24);
        if (name[i] == NULL)
            return false;
        snprintf(name[i], 24, "block number %d", i);
    }
    size_t chunks = loam_mem_chunk_count() - chunks_before;
    printf("%d blocks of 24 bytes: %zu bytes of pages in use, %zu more chunks from the kernel\n",
           COUNT, loam_heap_usage().live_bytes, chunks);

    bool kept = true;
    for (int i = 0; i < COUNT; i++) {
        char expected[24];
        snprintf(expected, sizeof expected, "block number %d", i);
        kept = kept && strcmp(name[i], expected) == 0;
        loam_free(name[i]);
    }
    return check(chunks < 20, "a thousand blocks took few system calls") &&
           check(kept, "each block kept its own bytes");
}

// A freed block is handed out again, at once or after a while: that is why touching it after free
// is a bug, even when it seems to work.
static bool used_again(void)
{
    static void *later[COUNT];
    void *p = loam_malloc(24);
    uintptr_t old = (uintptr_t)p;
    loam_free(p);
    int calls = 0;
    while (calls < COUNT && (uintptr_t)(later[calls] = loam_malloc(24)) != old)
        calls++;
    bool found = calls < COUNT;
    printf("the address that was freed came back at call number %d\n", calls + 1);
    for (int i = 0; i < COUNT && i <= calls; i++)
        loam_free(later[i]);
    return check(found, "a freed block is used again");
}

// A block can hold a little more than was asked for, and realloc grows it further: in place if
// there is room behind it, elsewhere if not. So the old pointer is dead, whatever happens.
static bool growing(void)
{
    char *text = loam_malloc(10);
    if (text == NULL)
        return false;
    printf("asked for 10 bytes, the block can hold %zu\n", loam_usable_size(text));
    strcpy(text, "growing");
    for (size_t size = 20; size < 10000000; size *= 3) {
        char *larger = loam_realloc(text, size);
        if (larger == NULL) { // then the old block is still ours
            loam_free(text);
            return false;
        }
        text = larger;
    }
    bool kept = strcmp(text, "growing") == 0;
    loam_free(text);
    return check(kept, "realloc kept what was there, from 10 bytes to 10 million");
}

// Memory may be refused, and a size may be nonsense. The answer is NULL, never a smaller block.
static bool refused(void)
{
    volatile size_t half = SIZE_MAX / 2 + 2; // volatile: else the compiler sees the overflow
    errno = 0;
    void *p = loam_calloc(half, 2); // 2 * half is 4 in 64 bits
    return check(p == NULL && errno == ENOMEM, "an array too large for the machine is refused");
}

int main(void)
{
    bool ok = many_small_ones() && used_again() && growing() && refused();
    size_t back = loam_trim(0);
    printf("given back to the kernel at the end: %zu bytes\n", back);
    return ok ? 0 : 1;
}
