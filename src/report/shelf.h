// shelf.h: functions and lines that were looked up once, kept on disk by build-id.
//
//     ~/.cache/loam/symbols/BUILD-ID        $XDG_CACHE_HOME instead of ~/.cache
//
// Debug information of a large program takes seconds to read, and a build-id names the same code
// for ever. A file on the shelf is believed only if it is whole, this version's, of that build-id,
// and belongs to who asks; anything else is as if it were not there. Files are written aside and
// renamed; the oldest go when all together pass SHELF_BYTES.
#pragma once

#include "report/symbol.h"

#define SHELF_BYTES      ((u64)256 * MiB)
#define SHELF_FILE_BYTES ((u64)32 * MiB)

struct shelf_entry {
    u64 offset; // of a frame in its module
    const struct symbol *symbols;
    u32 count;
};

struct shelf {
    struct shelf_entry *entries; // by offset; in the store
    u32 count;
};

// What is known of a module; nothing if it has no build-id.
struct shelf shelf_read(struct store *store, const struct module *m);
// The entry of an offset, or NULL.
const struct shelf_entry *shelf_find(const struct shelf *s, u64 offset);
// Make `entries`, in order of offset, all that is known of a module. Failures lose nothing.
void shelf_write(const struct module *m, const struct shelf_entry *entries, u32 count);
