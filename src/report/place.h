// place.h: sites of all processes merged into places, and sums over the tree.
//
// A distinct stack is too fine for a reader: a recursive program leaks one thing by a thousand
// stacks. A place is every stack whose innermost frames agree; `ways` counts its stacks.
#pragma once

#include "report/model.h"

// Frames that must agree. Eight reach the user's code through the wrappers of a C++ container
// built without optimisation; what lies further out is usually how the program got there.
#define PLACE_DEPTH 8

enum measure { BY_LEAK, BY_LIVE, BY_PEAK, BY_REACHABLE };

struct places {
    struct place **items;
    u32 count;
};

// All places, frames compared to `depth` (0: the whole stack). Freed by places_done; the places
// themselves live in the model's store.
struct places places_merge(struct model *m, u32 depth);
void places_done(struct places *p);
// Add each place items[i] to the place into[i], where that is not NULL, and take it off the list.
// What is added to must itself stay.
void places_join(struct places *p, struct model *m, struct place *const *into);
// Largest first by `measure`; how many have any of it comes back. Equal ones keep one order on
// every machine, so that reports can be compared.
u32 places_sort(struct places *p, enum measure measure);
u64 place_bytes(const struct place *p, enum measure measure);
u64 place_blocks(const struct place *p, enum measure measure);

// Sums over the process tree. What an exec swept away counts in the totals, not in `live`.
struct totals {
    struct amount live, direct, indirect, cycle, reachable;
    u64 allocs, alloc_bytes, frees, free_bytes;
    struct churn churn;
    u64 lives[LIVES_COUNT];
    u64 live_capacity;
    u32 sampled;                // processes whose numbers are estimates from samples
    u32 scanned;                // processes whose leak results are complete
    u32 ended;                  // processes that came to an orderly end
    const struct process *peak; // with the highest peak; NULL without processes
};
// How sure the live bytes of a place are that was met by `samples` live samples, in percent: the
// relative error of a sum of n samples is at most 1/sqrt(n). 0: exact, or nothing is known.
u32 place_error(u64 samples);
struct totals totals_of(const struct model *m);
