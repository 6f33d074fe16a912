// chunk.h: how the heap writes its mappings into the record of chunks.
//
// The public half, loam/chunk.h, is for programs. This half is called by os/map.c from inside the
// heap: with other locks held, from any thread, before constructors, from a signal handler that
// interrupted this very file. It takes memory from mmap alone and leaves errno as it was.
//
// C1  chunks stand in order of address and no two overlap.
// C2  the record keeps itself in mapped memory that stands in the record, as a chunk of the heap.
// C3  two chunks of the heap never touch: they are one.
// C4  a call that finds the record held by its own thread (a handler interrupted it) changes
//     nothing and is counted in chunk_missed. The kernel's word wins later: whoever notes a
//     mapping over a stale chunk cuts that chunk first.
#pragma once

#include "base/base.h"

#include <loam/chunk.h>

// The record itself, for who looks at the process from outside: struct heap_root tells its
// address. Its words change under the record's lock; the list moves as it grows.
struct chunk_view {
    loam_chunk *list; // C1
    size_t count;
};
const struct chunk_view *chunk_view(void);

// The heap has mapped [addr, addr + size). Call it after the mmap.
void chunk_note(void *addr, size_t size);
// The heap is about to unmap [addr, addr + size), which may be a part of a chunk or cover several.
// Call it before the munmap: afterwards another thread may have been given the same addresses.
void chunk_forget(void *addr, size_t size);
// Calls that C4 dropped, or for which the record had no memory. 0 as a rule.
u64 chunk_missed(void);

// Around fork: no other thread is inside the record while the child is made.
bool chunk_fork_held(void); // a handler of the calling thread interrupted the record
void chunk_fork_prepare(void);
void chunk_fork_parent(void);
void chunk_fork_child(void);
