// C3 retain: where memory is after it was freed.

#include "lab/allocators.h"

#include <stdio.h>
#include <stdlib.h>

enum { BLOCKS = 64 * 1024, SIZE = 1000 };

struct phase {
    const struct allocator *a;
    u64 resident[4]; // at the start, full, freed, trimmed
};
static struct phase *phase;

// All blocks but the last are freed: what lies above a live block cannot be cut off the top.
static void in_child(void *of)
{
    const struct allocator *a = of;
    static char *block[BLOCKS];
    phase->resident[0] = allocators_resident();
    for (u32 i = 0; i < BLOCKS; i++) {
        block[i] = a->take(SIZE);
        for (u32 k = 0; k < SIZE; k += 500)
            block[i][k] = 1;
    }
    phase->resident[1] = allocators_resident();
    for (u32 i = 0; i + 1 < BLOCKS; i++)
        a->give(block[i]);
    phase->resident[2] = allocators_resident();
    if (a->trim != NULL)
        a->trim();
    phase->resident[3] = allocators_resident();
}

static double share(u32 i)
{
    u64 grown = phase->resident[1] - phase->resident[0];
    u64 left =
        phase->resident[i] > phase->resident[0] ? phase->resident[i] - phase->resident[0] : 0;
    return grown == 0 ? 0 : 100.0 * (double)left / (double)grown;
}

static void run(struct lab *l)
{
    struct allocator a[ALLOCATORS_MAX];
    u32 n = allocators_find(a);
    phase = lab_shared(l, sizeof *phase);
    if (phase == NULL)
        return;
    lab_table(l, "65 MB in 65,536 blocks, all but the last freed: still resident",
              "heap|after free|after a trim");
    for (u32 i = 0; i < n; i++) {
        struct lab_end end;
        if (lab_child(l, in_child, &a[i], 0, &end) != 0 || end.status != 0)
            continue;
        char trimmed[32] = "has no such call";
        if (a[i].trim != NULL)
            snprintf(trimmed, sizeof trimmed, "%.0f %%", share(3));
        lab_row(l, "%s|%.0f %%|%s", a[i].name, share(2), trimmed);
        if (i == 0) {
            lab_exact(l, "kept", share(2), "%");
            lab_exact(l, "kept_after_trim", share(3), "%");
        } else if (i == 1) {
            lab_exact(l, "loam_kept", share(2), "%");
        }
    }
}

static const struct claim claims[] = {
    {S0, NULL, "resident after free", "not immediately returned", "kept", 50, 100, "%"},
};

LAB_EXPERIMENT(C3) = {
    .question = "Does freed memory go back to the kernel?",
    .prediction = "Not at once: the heap keeps it for the next malloc. A small block that still "
                  "lives at the top keeps all that lies below it.",
    .method = "A child takes 65 MB in blocks of 1,000 bytes, frees all but the last one, then asks "
              "for a trim. Its resident memory is read after each step.",
    .look = "libc keeps nearly all of it until malloc_trim is called; loam returns by itself what "
            "is beyond a quarter of its recent peak.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
