// heap.h: loam's heap under names of its own.
//
// The same heap that libloam.so puts behind malloc, for programs that want it beside their libc's:
// link libloam.a or -lloam and call loam_malloc where you called malloc. The two never mix: a
// block goes back to the heap it came from. To replace malloc itself, preload libloam.so or link
// libloam_malloc.a, and include nothing.
//
//     char *s = loam_malloc(100);
//     s = loam_realloc(s, 200);
//     loam_free(s);
//
// All functions may be called from any thread, from signal handlers, and before main. Blocks are
// aligned to 16 bytes. Sizes over PTRDIFF_MAX fail. Where a function fails it returns NULL and sets
// errno to ENOMEM; success leaves errno alone.
//
// Always on: freeing a block twice, a pointer into a block, or a pointer from elsewhere ends the
// program with one line on stderr and SIGABRT. What cannot be caught: a free of a block that was
// freed and handed out again in between.
#ifndef LOAM_HEAP_H
#define LOAM_HEAP_H

#include <loam/attr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

LOAM_BEGIN_C

// Give back a block. NULL is allowed. Keeps errno. May be called by another thread than the one
// that allocated: costs one atomic operation then.
LOAM_API LOAM_TAKES(1) void loam_free(void *p) LOAM_NOTHROW;

// `size` bytes, not initialised. size 0 gives a unique block. The caller owns it.
// Cost: a few nanoseconds; blocks over 32 KiB are spans of pages of 16 KiB.
LOAM_API LOAM_MALLOC(loam_free, 1) LOAM_GIVES LOAM_NODISCARD
    LOAM_SIZE(1) void *loam_malloc(size_t size) LOAM_NOTHROW;

// n * size bytes, all zero; fresh memory is not cleared again. Overflow fails.
LOAM_API LOAM_MALLOC(loam_free, 1) LOAM_NODISCARD
    LOAM_SIZE(1, 2) void *loam_calloc(size_t n, size_t size) LOAM_NOTHROW;

// Make the block `size` bytes, moving it if need be; contents stay up to the smaller size. On
// failure the old block stays as it was. p NULL allocates; size 0 frees and returns NULL.
// Cost: growing blocks over 256 KiB moves page tables, not bytes.
LOAM_API LOAM_SIZE(2) LOAM_NODISCARD void *loam_realloc(void *p, size_t size) LOAM_NOTHROW;

// As loam_malloc, aligned to `align`, a power of two up to 1 GiB and beyond; another alignment
// fails with EINVAL.
LOAM_API LOAM_MALLOC(loam_free, 1) LOAM_GIVES LOAM_NODISCARD LOAM_ALIGN(1)
    LOAM_SIZE(2) void *loam_aligned_alloc(size_t align, size_t size) LOAM_NOTHROW;

// Bytes that the block can hold, at least what was asked for. 0 for NULL.
LOAM_API size_t loam_usable_size(const void *p) LOAM_NOTHROW;

// Return free memory to the kernel until at most `keep` bytes of it are left. Returns the bytes
// returned. The heap does this by itself; call it before a long idle phase.
LOAM_API size_t loam_trim(size_t keep) LOAM_NOTHROW;

// What the heap holds: bytes of pages that have live blocks, and of free pages that still have
// memory behind them.
typedef struct loam_heap_stats {
    size_t live_bytes;
    size_t dirty_bytes;
} loam_heap_stats;
LOAM_API loam_heap_stats loam_heap_usage(void) LOAM_NOTHROW;

// One figure of the heap by its name, counted now from the heap's own tables: exact when no other
// thread is inside the heap, else right for each slab at some instant. False: there is no figure
// of that name. Cost: a walk over all slabs, some 2 ms for 1 GB of small blocks.
//
//     heap.small_bytes     live blocks up to 32 KiB      heap.dirty_bytes     free, memory kept
//     heap.slab_bytes      pages that those lie in       heap.clean_bytes     free, memory returned
//     heap.hole_bytes      returned inside of them       heap.mapped_bytes    address space
//     heap.large_blocks    blocks that are spans         heap.metadata_bytes  loam's own tables,
//     heap.large_bytes     and their pages                                    mostly never touched
//     heap.far_blocks      blocks outside the arena      heap.chunks          mappings in all
//     heap.far_bytes       and their mappings            heap.heaps           threads' heaps so far
//
// and for each size class, here of 64 bytes: class.64.slabs, class.64.capacity and class.64.live in
// blocks, and class.64.waste_bytes: of its slabs' pages what no live block lies in.
LOAM_API bool loam_heap_figure(const char *name, uint64_t *ret_value) LOAM_NOTHROW
    LOAM_NONNULL(1, 2);

// The name of figure number `i`, terminated; false when there are fewer.
#define LOAM_FIGURE_NAME 40
LOAM_API bool loam_heap_figure_name(size_t i, char ret_name[LOAM_FIGURE_NAME]) LOAM_NOTHROW
    LOAM_NONNULL(2);

// Start (or stop) a thread of loam's own that returns free memory while the program rests: within a
// second of the last page taken nothing free is kept. Without it an idle process keeps up to a
// quarter of its recent peak. The thread blocks all signals and wakes five times a second. A child
// of fork has none until it asks again, or takes pages while LOAM=background=on. False: the kernel
// gives no thread.
LOAM_API bool loam_background(bool on) LOAM_NOTHROW;

LOAM_END_C

#endif
