// owner.h: whose memory is this? Regions and pools, known by name.
//
// An allocator beneath the program sees only anonymous blocks; the program thinks in regions and
// pools. Each of loam's toolkit that holds memory registers itself under its name and the place
// where it was made, when it takes its first memory. Then any address resolves to its owner:
//
//     static int x;
//     char text[200];
//     if (loam_owner_text(&x, text, sizeof text))
//         puts(text);
//
// Meant for reports and debuggers: finding an address asks every owner. It may be called from any
// thread, but not from a signal handler.
#ifndef LOAM_OWNER_H
#define LOAM_OWNER_H

#include <loam/attr.h>
#include <stdbool.h>
#include <stddef.h>

LOAM_BEGIN_C

typedef struct loam_owner_info {
    const char *kind;  // "region", "pool", ...
    const char *name;  // as its maker called it
    const char *place; // file:line where it was made
    size_t held;       // bytes taken from its allocator
    size_t used;       // of those, handed out; a snapshot while its thread runs on
    size_t used_max;   // the most there ever were
    size_t resets;     // how often it was emptied or cut back
    size_t offset;     // of the address that was looked for, in the piece of memory it lies in
    const char *made;  // the object it lies in, "struct hdr, conn.c:88", if that is known; or NULL
    size_t in_object;  // then: the offset in that object
} loam_owner_info;

// The owner of the memory at `p`. False, and *ret is not written, when nobody holds it.
LOAM_API bool loam_owner_find(const void *p, loam_owner_info *ret) LOAM_NONNULL(2);

// The same in words, "region http.request, conn.c:88, +96 in struct hdr", terminated and cut to
// `size` bytes. What is known of the object comes with LOAM=debug=on, and for pools always; without
// it the place is the owner's, and the offset that in its piece of memory. False, and an empty
// text, when nobody holds it.
LOAM_API bool loam_owner_text(const void *p, char *ret_text, size_t size) LOAM_NONNULL(2);

// The i-th owner, in no particular order; false when there are not so many. Owners may come and
// go between two calls.
LOAM_API bool loam_owner_at(size_t i, loam_owner_info *ret) LOAM_NONNULL(2);

// What every owner embeds. Nothing in it is for you.
struct loam_owner_ops;
typedef struct loam_owner_link {
    struct loam_owner_link *next, *prev;
    const struct loam_owner_ops *ops; // NULL: not registered
    unsigned shard;
} loam_owner_link;

LOAM_END_C

#endif
