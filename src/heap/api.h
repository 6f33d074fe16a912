// api.h: what the layers above may ask of the heap.
//
// All of it is safe from many threads, from signal handlers and before constructors. Failure of
// an allocating function is NULL with errno ENOMEM; freeing keeps errno.
#pragma once

#include "heap/heap.h"

// Which libc name a block came through, for reports of mismatches. Kept in the block's tag.
enum alloc_kind { KIND_MALLOC = 0, KIND_NEW, KIND_NEW_ARRAY, KIND_ALIGNED };

// Plain allocation on the calling thread's heap: what the libc names do when nobody tracks, and
// what heap_ops call underneath. `align` is a power of two, or 0 for the usual 16.
void *heap_alloc(size_t size, size_t align, bool zero);
void heap_free(void *p);
// The size the block can hold. Dies on a pointer that is no live block.
size_t heap_usable(const void *p);
// As realloc(3) for p != NULL and size > 0: in place, else moved; NULL leaves p as it was. Adds the
// bytes that had to be copied to *copied, unless that is NULL.
void *heap_realloc(void *p, size_t size, size_t *copied);

// Where a pointer (also an interior one) belongs. Reads tables only; takes no lock. For slabs and
// large blocks `desc` is the span's; for blocks outside the arena `far` is set and desc NULL.
struct heap_block {
    void *start; // first byte of the block
    size_t size; // bytes it can hold
    struct desc *desc;
    struct far_block *far;
    u32 page;  // first page of the span
    u32 index; // block number in the slab; 0 for large
};
// False when p points into no span. Does not say whether the block is live.
bool heap_find(const void *p, struct heap_block *ret);

// This thread's heap, busy from now on (G1), so that nobody else uses it, nor what the caller keeps
// in heap.above: not another thread, and not a signal handler that interrupts the caller. NULL when
// there is no memory for one. In between nothing may wait, and nothing call the functions above.
struct heap *heap_enter(void);
void heap_leave(struct heap *h);

// The block at p is meant to live as long as the program: it is no leak, whoever looks for them.
void heap_forget(void *p);

// Install ops; once, early, while one thread runs. Blocks allocated earlier stay valid.
void heap_set_ops(const struct heap_ops *ops);

// From now on, while *on is not 0, choose blocks such that each byte allocated is the beginning of
// a sample with chance 1 / `mean`, independently of all others. Call once, early, instead of
// heap_set_ops. `seed` 0: samples differ from run to run.
void heap_sample(const struct heap_sampler *s, u64 mean, const _Atomic u32 *on, u64 seed);

// Let a tool ask for sampling later, from outside (struct heap_wish). Call once, early, instead of
// heap_sample. The first block that is chosen then goes to s->chosen, whose part it is to look at
// the wish and say heap_sample_go, with the word that switches sampling on and off from then on, or
// heap_sample_refuse with -errno: then nothing more is chosen until the tool asks again.
void heap_sample_ready(const struct heap_sampler *s);
const struct heap_wish *heap_sample_wish(void);
void heap_sample_go(const _Atomic u32 *on);
void heap_sample_refuse(int why);

// Memory for the layers above that must not come from the program's heap: zeroed, 64-byte
// aligned, never given back. NULL on ENOMEM.
void *heap_meta(size_t size);

// Return free memory to the kernel until at most `keep` bytes of it are left. Returns the bytes
// returned.
size_t heap_trim(size_t keep);

// Tests: NULL when all invariants of the heap hold, else the words of one that does not. Nobody
// else may be inside the heap.
const char *heap_check(void);
