// G6 overflow: a string too long for its block on the heap.

#include "lab/lab.h"

#include <loam/heap.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 10, LONG = 40, BLOCKS = 64 };

struct seen {
    u32 apart, changed;
    u64 usable;
};

// Copy into the lower of two neighbours; did the upper one change?
static void overflow(struct seen *to, char *low, char *high, size_t usable)
{
    memset(high, 'o', ROOM);
    to->apart = (u32)(high - low);
    to->usable = usable;
    for (volatile char *c = low; c < low + LONG; c++) // strcpy, out of the compiler's sight
        *c = 'A';
    to->changed = memchr(high, 'A', ROOM) != NULL;
}

// Of many small blocks, the two that lie closest: what a program has after a while.
static void closest(struct seen *to, void *(*take)(size_t), size_t (*usable)(void *))
{
    char *block[BLOCKS], *low = NULL, *high = NULL;
    for (u32 i = 0; i < BLOCKS; i++) {
        block[i] = take(ROOM);
        if (block[i] == NULL)
            _Exit(1);
    }
    for (u32 i = 0; i < BLOCKS; i++) {
        for (u32 k = 0; k < BLOCKS; k++) {
            if (block[i] < block[k] && (low == NULL || block[k] - block[i] < high - low)) {
                low = block[i];
                high = block[k];
            }
        }
    }
    overflow(to, low, high, usable(low));
    _Exit(0); // its heap is broken: no exit handlers
}

static size_t loam_usable(void *p)
{
    return loam_usable_size(p);
}

static void in_libc(void *of)
{
    closest(of, malloc, malloc_usable_size);
}

static void in_loam(void *of)
{
    closest(of, loam_malloc, loam_usable);
}

static void row(struct lab *l, const char *name, const struct seen *s)
{
    lab_row(l, "%s|%llu|%u|%s", name, (unsigned long long)s->usable, s->apart,
            s->changed ? "overwritten" : "as it was");
}

static void run(struct lab *l)
{
    struct lab_end end;
    struct seen *seen = lab_shared(l, 2 * sizeof *seen);
    if (seen == NULL || lab_child(l, in_libc, &seen[0], 0, &end) != 0 ||
        lab_child(l, in_loam, &seen[1], 0, &end) != 0)
        return;
    lab_table(l, "40 bytes into a block of 10", "heap|usable|neighbour at|neighbour's text");
    row(l, "libc", &seen[0]);
    row(l, "loam", &seen[1]);
    lab_check(l, "corrupts_neighbour", seen[0].changed || seen[1].changed,
              "the block beside it holds the end of the string now");
    lab_exact(l, "room_of_10", (double)seen[1].usable, "bytes");
}

static const struct claim claims[] = {
    {S4, NULL, "strcpy into 10 bytes", "corrupts adjacent memory", "corrupts_neighbour", 0, 0,
     NULL},
};

LAB_EXPERIMENT(G6) = {
    .question = "Whose memory is behind the end of a block?",
    .prediction = "That of the next block. On the stack it is worse (A3), but there a canary may "
                  "stand in between.",
    .method = "Children take 64 blocks of 10 bytes, from libc and from loam, and copy 40 bytes "
              "into one that has a neighbour. The copy is made byte by byte where the "
              "compiler cannot see the size.",
    .look =
        "A block of 10 has room for 16 or more, so that a small overflow is never noticed, and a "
        "larger one changes a neighbour who has nothing to do with it.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
