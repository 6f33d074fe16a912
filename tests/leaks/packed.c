// A pointer at an odd address inside a packed structure is no pointer to a scanner that looks at
// aligned words, as both do: the block counts as lost.
// total: 240 bytes
#include "leak.h"

static struct __attribute__((packed)) {
    char tag;
    void *pointer;
} packed;

static apart void work(void)
{
    void *p = malloc(240); // lost
    memset(p, 1, 240);
    packed.pointer = p;
}

int main(void)
{
    work();
    scrub();
    opaque(&packed);
    return 0;
}
