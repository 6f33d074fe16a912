// track.h: an allocator that counts, limits and fails on purpose.
//
// Wrap it around any allocator value and hand it to whatever takes one: it knows exactly what is
// live, stops at a limit, and can fail at the n-th request, so that a test can walk through every
// way in which memory can run out. Not needed to find leaks of a whole program: `loam run --leaks`
// does that without a change to it.
//
//     loam_track t;
//     loam_track_init(&t, loam_alloc_heap());
//     loam_alloc a = loam_track_alloc(&t);
//     char *p = loam_alloc_new(a, loam_layout_make(100, 1));
//     printf("%zu bytes in %zu blocks\n", t.live_bytes, t.live_blocks);
//     loam_alloc_free(a, p, loam_layout_make(100, 1));
//     loam_track_done(&t);                              // dies if something was left
//
// May be used from several threads if the allocator beneath may. Releasing more than was
// allocated ends the program.
#ifndef LOAM_TRACK_H
#define LOAM_TRACK_H

#include <loam/alloc.h>

LOAM_BEGIN_C

// To be read, not written; exact while no other thread uses the allocator.
typedef struct loam_track {
    loam_alloc inner;
    size_t live_bytes, live_blocks; // as asked for, without what the allocator adds
    size_t live_bytes_max;          // the most there ever were
    size_t requests;                // calls that asked for memory, failed ones included
    size_t failures;                // of those, how many got none, whoever refused
    size_t limit;                   // on live_bytes; 0 = none
    size_t fail_at;                 // number of the request from which on all fail; 0 = none
} loam_track;

// Count what goes through to `inner`. Takes no memory.
LOAM_API void loam_track_init(loam_track *t, loam_alloc inner) LOAM_NONNULL(1);

// End of counting. Blocks that are still live end the program: "track: blocks are left". Ask
// live_blocks first if that may be so.
LOAM_API void loam_track_done(loam_track *t) LOAM_NONNULL(1);

// The allocator; `t` must outlive what it allocates.
LOAM_API loam_alloc loam_track_alloc(loam_track *t) LOAM_NONNULL(1);

// Refuse what would make more than `bytes` live; 0 = no limit.
LOAM_API void loam_track_set_limit(loam_track *t, size_t bytes);

// Refuse the n-th request from now on (1 = the next one) and all later ones; 0 = none.
LOAM_API void loam_track_fail_at(loam_track *t, size_t n);

LOAM_END_C

#endif
