// C4 frag: free memory that is of no use, in a toy of 60 bytes and in real heaps.

#include "lab/allocators.h"

#include <string.h>

// ---------------------------------------------------------------- the text's example

enum { ROOM = 60, PIECE = 10 };
static char owner[ROOM]; // who has each byte, '.' for nobody

// First fit, as a beginner writes it: the first gap that is long enough.
static int toy_take(char who, int size)
{
    for (int at = 0, gap = 0; at < ROOM; at++) {
        gap = owner[at] == '.' ? gap + 1 : 0;
        if (gap == size) {
            memset(&owner[at - size + 1], who, (size_t)size);
            return at - size + 1;
        }
    }
    return -1;
}

static void toy_give(char who)
{
    for (int i = 0; i < ROOM; i++)
        owner[i] = owner[i] == who ? '.' : owner[i];
}

static void toy(struct lab *l)
{
    memset(owner, '.', ROOM);
    lab_picture(l, "60 bytes; a letter is a byte in use");
    for (char who = 'A'; who < 'A' + ROOM / PIECE; who++)
        toy_take(who, PIECE);
    lab_line(l, "%.60s  six blocks of 10", owner);
    toy_give('B');
    toy_give('D');
    lab_line(l, "%.60s  B and D are free: 20 bytes", owner);
    bool failed = toy_take('X', 2 * PIECE) < 0;
    lab_line(l, "%.60s  20 bytes: %s", owner, failed ? "no gap is so long" : "found");
    lab_check(l, "twenty_fail", failed,
              "20 bytes are free in two gaps of 10, and 20 cannot be had");
}

// ---------------------------------------------------------------- real heaps

enum { BLOCKS = 200000, LATER = 4000, LATER_SIZE = 2000 };
static u64 *grown; // shared with the child: bytes that came on top for the later blocks

// Many small blocks, nine of ten freed at random: is what they leave any use for larger ones?
static void in_child(void *of)
{
    const struct allocator *a = of;
    static char *block[BLOCKS];
    struct rng r = {1};
    u64 start = allocators_resident(), live = 0;
    for (u32 i = 0; i < BLOCKS; i++) {
        u64 size = 16 + rng_below(&r, 240);
        block[i] = a->take(size);
        memset(block[i], 1, size);
        live += size;
    }
    for (u32 i = 0; i < BLOCKS; i++)
        if (rng_below(&r, 10) != 0) {
            a->give(block[i]);
            block[i] = NULL;
        }
    for (u32 i = 0; i < LATER; i++)
        memset(a->take(LATER_SIZE), 1, LATER_SIZE);
    grown[0] = allocators_resident() - start;
    grown[1] = live / 10 + (u64)LATER * LATER_SIZE;
}

static void real(struct lab *l)
{
    struct allocator a[ALLOCATORS_MAX];
    u32 n = allocators_find(a);
    lab_table(l, "9 of 10 small blocks freed at random, then 8 MB of larger ones",
              "heap|live|resident|times");
    for (u32 i = 0; i < n; i++) {
        struct lab_end end;
        if (lab_child(l, in_child, &a[i], 0, &end) != 0 || end.status != 0)
            continue;
        double times = (double)grown[0] / (double)grown[1];
        lab_row(l, "%s|%.1f MB|%.1f MB|%.2f", a[i].name, (double)grown[1] / 1e6,
                (double)grown[0] / 1e6, times);
        if (i == 0)
            lab_exact(l, "libc_held_over_live", times, "x");
        if (i == 1)
            lab_exact(l, "loam_held_over_live", times, "x");
    }
}

static void run(struct lab *l)
{
    toy(l);
    grown = lab_shared(l, 2 * sizeof *grown);
    if (grown != NULL)
        real(l);
}

static const struct claim claims[] = {
    {S3, "topic 4", "held over live bytes", "Swiss cheese", "libc_held_over_live", 1.05, INFINITY,
     "x"},
    {S4, NULL, "20 bytes, with 10 + 10 free", "fails", "twenty_fail", 0, 0, NULL},
};

LAB_EXPERIMENT(C4) = {
    .question = "Can memory be free and yet of no use?",
    .prediction = "Yes: free bytes that do not lie side by side serve no request that is longer "
                  "than the longest gap.",
    .method = "The text's example on 60 bytes, taken by first fit. Then real heaps: a child fills "
              "each with 200,000 blocks of 16 to 255 bytes, frees nine of ten at random, and takes "
              "8 MB in blocks of 2,000. Resident memory is held against what is live.",
    .look = "A heap with size classes cannot hand 200-byte gaps to 2,000-byte requests; one that "
            "joins neighbours can do so only where neighbours are free. loam gives kernel pages "
            "between the live blocks back before it grows.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
