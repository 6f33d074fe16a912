// Everything is held: by .data, by .bss, by main's stack, by a block that is held, by a
// mapping of the program's own. Nothing is lost.
// total: 0 bytes
#include "leak.h"
#include <sys/mman.h>

static void *in_bss;
static void *in_data = &in_bss;
static void **mapped;

static apart void *take(size_t size)
{
    void *p = malloc(size);
    memset(p, 1, size);
    return p;
}

static apart void fill(void)
{
    in_bss = take(100);
    in_data = take(200);
    void **outer = take(300);
    outer[5] = take(400);
    mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mapped[700] = outer;
}

int main(void)
{
    void *volatile on_stack = take(600);
    fill();
    scrub();
    opaque(&in_bss);
    opaque(&in_data);
    opaque(&mapped);
    exit(on_stack == NULL);
}
