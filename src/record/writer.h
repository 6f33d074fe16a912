// writer.h: appending records to this process's blocks of the recording (format/recording.h).
//
// One record at a time: reserve room, fill it, commit. What is not committed is not there. The
// caller holds the recorder's lock; see sites.h.
#pragma once

#include "format/recording.h"

// Use this mapping of a recording, of which the header is mapped, from now on, on behalf of a new
// process. In a forked child it drops the parent's block without a word: the parent goes on writing
// there. NULL: write no more.
void writer_begin(struct recording *map);
// The process's index, or 0 before the first record was reserved.
u32 writer_process(void);

extern hidden_ struct recording *writer_mapping; // NULL: nothing is recorded
static always_inline_ struct recording *writer_map(void)
{
    return writer_mapping;
}

// Zeroed room for a record of `bytes`, and what fills up its last RECORD_UNIT, its head filled in;
// NULL when the recording has none. When the tool has yet to make room this waits for it, but no
// longer than 100 ms in all, and not at all for a tool that has been found dead.
void *writer_reserve(u32 kind, size_t bytes);
// The record reserved last is complete; `bytes` of it count, no more than were reserved.
void writer_commit(void *record, size_t bytes);

// Blocks of the recording that nobody has taken, of how many.
u32 writer_left(u32 *ret_all);

// Where a record lies, as a number of 8-byte units: half the size of a pointer, in large tables.
static always_inline_ u32 writer_place(const void *record)
{
    return (u32)((size_t)((const char *)record - (const char *)writer_mapping) / 8);
}

static always_inline_ void *writer_at(u32 place)
{
    return (char *)writer_mapping + (size_t)place * 8;
}
