// C7 tracking: an allocator that counts, against a ledger kept by hand.

#include "lab/lab.h"

#include <loam/alloc.h>
#include <loam/track.h>

enum { STEPS = 20000, SLOTS = 256 };

struct ledger {
    u64 live, blocks, peak, taken;
};

static void run(struct lab *l)
{
    struct ledger by_hand = {0};
    loam_track t;
    loam_track_init(&t, loam_alloc_heap());
    loam_alloc a = loam_track_alloc(&t);
    static void *block[SLOTS];
    static loam_layout layout[SLOTS];
    for (u32 i = 0; i < STEPS; i++) {
        u64 at = rng_below(&l->rng, SLOTS);
        if (block[at] != NULL) {
            loam_alloc_free(a, block[at], layout[at]);
            by_hand.live -= layout[at].size;
            by_hand.blocks--;
        }
        layout[at] = loam_layout_make(1 + rng_below(&l->rng, 5000), 16);
        block[at] = loam_alloc_new(a, layout[at]);
        if (block[at] == NULL) {
            lab_cannot(l, NULL, "there is no memory");
            return;
        }
        by_hand.live += layout[at].size;
        by_hand.blocks++;
        by_hand.taken++;
        by_hand.peak = by_hand.live > by_hand.peak ? by_hand.live : by_hand.peak;
    }
    lab_table(l, "20,000 allocations of random sizes", "quantity|by hand|by the allocator");
    lab_row(l, "live bytes|%llu|%zu", (unsigned long long)by_hand.live, t.live_bytes);
    lab_row(l, "live blocks|%llu|%zu", (unsigned long long)by_hand.blocks, t.live_blocks);
    lab_row(l, "peak bytes|%llu|%zu", (unsigned long long)by_hand.peak, t.live_bytes_max);
    lab_row(l, "allocations|%llu|%zu", (unsigned long long)by_hand.taken, t.requests);
    bool same = by_hand.live == t.live_bytes && by_hand.blocks == t.live_blocks &&
                by_hand.peak == t.live_bytes_max && by_hand.taken == t.requests;
    lab_check(l, "counts_agree", same, "all four counts are %s", same ? "equal" : "not equal");
    for (u32 i = 0; i < SLOTS; i++)
        if (block[i] != NULL)
            loam_alloc_free(a, block[i], layout[i]);
    lab_check(l, "ends_empty", t.live_bytes == 0 && t.live_blocks == 0,
              "after the last free %zu bytes are live", t.live_bytes);
    loam_track_done(&t);
}

static const struct claim claims[] = {
    {S2, NULL, "test_tracking_allocator", "exact counts", "counts_agree", 0, 0, NULL},
    {S2, NULL, "nothing is left", "allocated == deallocated", "ends_empty", 0, 0, NULL},
};

LAB_EXPERIMENT(C7) = {
    .question = "Can an allocator say exactly what a program holds?",
    .prediction = "It sees every call, so live, peak and totals need no sampling.",
    .method = "loam's tracking allocator is put around the heap. 20,000 blocks of random sizes are "
              "taken and freed in random order, and counted by hand beside it.",
    .look = "All counts are equal, to the byte. The peak is that of bytes asked for, not of pages.",
    .claims = claims,
    .claims_count = countof(claims),
    .run = run,
};
