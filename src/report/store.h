// store.h: memory that a report frees all at once, and a hash table that lives in it.
//
// A model is thousands of small things with one life: the report's. So they are pushed into a
// store and die together. Running out of memory ends the tool with one sentence: there is no
// report to save then, and the recording is safe in its file.
#pragma once

#include "base/base.h"

struct store_piece;
struct store {
    struct store_piece *first; // newest piece; a zeroed store is empty and valid
    size_t used;
};

// Zeroed, 16-byte aligned memory that lives until store_done.
void *store_push(struct store *s, size_t size);
// A terminated copy of `size` bytes; stops at the first NUL.
char *store_text(struct store *s, const char *text, size_t size);
// Forget everything, but keep one piece for what comes next.
void store_clear(struct store *s);
void store_done(struct store *s);
// Take all that is in `from`, which is empty then.
void store_join(struct store *s, struct store *from);

// From 64-bit keys to pointers. Two things with one key are chained by who uses the table.
struct table_slot {
    u64 key;
    void *value; // NULL = empty slot
};
struct table {
    struct table_slot *slots;
    size_t slots_count; // a power of two, or 0
    size_t used;
};

void *table_get(const struct table *t, u64 key);
// `value` is not NULL; an older value of that key is replaced.
void table_put(struct table *t, u64 key, void *value);
void table_done(struct table *t);
// Mix two words into one, for keys.
u64 table_mix(u64 a, u64 b);
// A key for a text.
u64 table_hash(const char *text);
