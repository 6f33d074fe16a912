// 02_sbrk.c: growing the data segment.
//
// The oldest way to more memory: behind a program's globals lies the "break", the end of its data
// segment. sbrk(n) moves it up by n bytes and returns where it stood, which is the address of n
// fresh zeroed bytes. What one call stores there is still there in the next, because nobody gives
// it back: that is all that "dynamic memory" means.
//
// This program remembers words in memory from sbrk alone. Build it with `cc 02_sbrk.c`.
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct note {
    struct note *older;
    char text[];
};

static struct note *newest; // a global: the way back to everything that was remembered

// sbrk returns (void *)-1 when it fails, not NULL.
static void *grow(size_t size)
{
    // The break may stand at any byte; a struct must start at a multiple of its alignment.
    size_t gap = -(uintptr_t)sbrk(0) % alignof(max_align_t);
    char *p = sbrk((intptr_t)(gap + size));
    return p == (void *)-1 ? NULL : p + gap;
}

static int remember(const char *text)
{
    struct note *n = grow(sizeof *n + strlen(text) + 1);
    if (n == NULL)
        return -1;
    strcpy(n->text, text);
    n->older = newest;
    newest = n;
    return 0;
}

int main(void)
{
    const char *words[] = {"memory", "is", "asked", "for", "and", "kept"};
    int count = sizeof words / sizeof words[0];

    // Without a buffer: printf would get it from malloc, which moves the break too.
    setvbuf(stdout, NULL, _IONBF, 0);
    char *start = sbrk(0);
    printf("the break stands at     %p\n", (void *)start);
    for (int i = 0; i < count; i++) {
        if (remember(words[i]) != 0)
            return 1;
        printf("remembered %-8s at  %p, break %p\n", words[i], (void *)newest, sbrk(0));
    }

    // Six calls later everything is where it was put.
    int left = count;
    for (struct note *n = newest; n != NULL; n = n->older)
        if (strcmp(n->text, words[--left]) != 0)
            return 1;
    printf("all %d words are still there\n", count);

    // The segment shrinks at its end only, so everything must go at once. This is why allocators
    // prefer mmap for anything that should be given back singly.
    newest = NULL;
    if (sbrk(start - (char *)sbrk(0)) == (void *)-1)
        return 1;
    printf("given back: the break is %p again\n", sbrk(0));
    return left == 0 && sbrk(0) == start ? 0 : 1;
}
