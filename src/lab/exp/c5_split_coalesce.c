// C5 split-coalesce: a block is cut in two, and the pieces are joined again.

#include "lab/allocators.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

// The allocator of the textbooks: a list of blocks in order of address, each free or not. (loam's
// own heap neither cuts nor joins blocks: pieces of one size lie side by side from the start.)
enum { BLOCKS = 8, TOTAL = 256 };
struct block {
    u32 at, size;
    bool used;
};
static struct block list[BLOCKS];
static u32 count;

static void start(void)
{
    list[0] = (struct block){0, TOTAL, false};
    count = 1;
}

// First fit; what is left over becomes a block of its own.
static bool take(u32 size)
{
    for (u32 i = 0; i < count; i++) {
        struct block *b = &list[i];
        if (b->used || b->size < size)
            continue;
        if (b->size > size && count < BLOCKS) {
            memmove(b + 2, b + 1, (count - i - 1) * sizeof *b);
            b[1] = (struct block){b->at + size, b->size - size, false};
            b->size = size;
            count++;
        }
        b->used = true;
        return true;
    }
    return false;
}

static void join_next(u32 i)
{
    if (i + 1 >= count || list[i].used || list[i + 1].used)
        return;
    list[i].size += list[i + 1].size;
    count--;
    memmove(&list[i + 1], &list[i + 2], (count - i - 1) * sizeof *list);
}

static void give(u32 at)
{
    for (u32 i = 0; i < count; i++)
        if (list[i].at == at) {
            list[i].used = false;
            join_next(i);
            if (i > 0)
                join_next(i - 1);
            return;
        }
}

// One character for eight bytes.
static void draw(struct lab *l, const char *what)
{
    char strip[TOTAL / 8 + BLOCKS + 1];
    u32 n = 0;
    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < list[i].size / 8; k++)
            strip[n++] = list[i].used ? '#' : '.';
        strip[n++] = '|';
    }
    strip[n] = 0;
    lab_line(l, "%-42s %s", strip, what);
}

static void run(struct lab *l)
{
    lab_picture(l, "256 bytes, '#' in use");
    start();
    draw(l, "one free block");
    take(100);
    draw(l, "100 taken");
    lab_exact(l, "rest", list[1].size, "bytes");
    take(50);
    draw(l, "50 taken");
    give(100);
    draw(l, "50 freed: joined with the rest");
    bool rejoined = count == 2 && list[1].size == 156;
    give(0);
    draw(l, "100 freed: joined again");
    lab_check(l, "coalesces", rejoined && count == 1 && list[0].size == TOTAL,
              "after both frees there is one block of %u bytes", list[0].size);
    void *p = malloc(100), *q = calloc(1, 100);
    KEEP(p);
    struct allocator a[ALLOCATORS_MAX];
    allocators_find(a);
    void *in_loam = a[1].take(100);
    lab_exact(l, "libc_usable", (double)malloc_usable_size(p), "bytes");
    lab_note(l,
             "malloc(100): libc's block holds %zu bytes, 8 more for its header before it. loam "
             "hands out 112, its class for 97 to 112, and keeps no header beside it.",
             malloc_usable_size(p));
    a[1].give(in_loam);
    free(p);
    free(q);
}

static const struct claim claims[] = {
    {S4, NULL, "what malloc(100) leaves of 256", "156 free", "rest", 156, 156, "bytes"},
    {S4, NULL, "free joins neighbours", "coalesces", "coalesces", 0, 0, NULL},
};

LAB_EXPERIMENT(C5) = {
    .question = "What becomes of a free block that is larger than what was asked for?",
    .prediction = "It is cut: the program gets its 100 bytes, and a free block of 156 stays. When "
                  "the piece is freed, neighbours that are free are joined.",
    .method = "A list of blocks in order of address, as in the text: first fit, cut, join. Each "
              "step is drawn. No header is counted, which real heaps need.",
    .look = "The rest is 256 - 100 only in the picture: libc rounds up to 16 and puts 8 bytes of "
            "header before each block.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
