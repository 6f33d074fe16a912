// chunk.h: memory asked of the kernel, and kept track of.
//
// The first lesson of memory management: a program has no memory but what the kernel gave it, and
// the kernel gives it in two ways. sbrk(2) moves the end of the data segment; mmap(2) makes a new
// mapping anywhere. loam_mem_chunk asks in either way, returns the pointer, and writes down what
// it got, so that everything can be listed and given back. An allocator is what one builds on top;
// loam's own heap keeps its mappings in the same record.
//
//     void *p = loam_mem_chunk(100000, LOAM_CHUNK_MMAP);
//     loam_chunk c;
//     for (size_t i = 0; loam_mem_chunk_at(i, &c); i++)
//         printf("%p %zu %s\n", c.addr, c.size, loam_chunk_source_name(c.source));
//     loam_mem_chunk_release(p);
//
// Not for small objects: a chunk is at least one OS page (4 KiB as a rule) and costs a system
// call. Use malloc, loam_malloc or a region for those. All functions may be called from any
// thread. A signal handler that interrupted one of them is refused (ENOMEM, EBUSY, false or 0),
// because the record is in the middle of a change. LOAM_CHUNK_SBRK goes through sbrk(2), which is
// one for the whole process and has no lock: do not use it while another thread may be inside a
// library that calls sbrk too. glibc's malloc does; a program whose malloc is loam has none.
#ifndef LOAM_CHUNK_H
#define LOAM_CHUNK_H

#include <loam/attr.h>
#include <stdbool.h>
#include <stddef.h>

LOAM_BEGIN_C

typedef enum loam_chunk_source {
    LOAM_CHUNK_SBRK, // grows the data segment; chunks lie one behind the other
    LOAM_CHUNK_MMAP, // a mapping of its own, anywhere
} loam_chunk_source;

typedef struct loam_chunk {
    void *addr;
    size_t size; // bytes, rounded up to whole OS pages
    loam_chunk_source source;
    bool heap;     // belongs to loam's heap: listed, but not yours to release
    bool released; // an sbrk chunk that waits for the ones above it, see release
} loam_chunk;

// Give a chunk back. `addr` is what loam_mem_chunk returned. An mmap chunk is unmapped at once.
// The data segment can only shrink from its end: an sbrk chunk with others above it is marked
// released (its RAM goes back at once) and its addresses go when the chunks above are gone too.
// Returns 0, or -1 with errno EINVAL when no chunk starts at addr, EPERM when it is the heap's.
LOAM_API LOAM_TAKES(1) int loam_mem_chunk_release(void *addr) LOAM_NOTHROW;

// Ask the kernel for `size` bytes, rounded up to whole OS pages. The memory is zero, readable and
// writable, and takes no RAM until touched. The caller owns it until loam_mem_chunk_release.
// Returns NULL with errno ENOMEM when the kernel refuses, EINVAL when size is 0 or source unknown.
// Cost: one system call.
LOAM_API LOAM_OWNED(loam_mem_chunk_release, 1) LOAM_NODISCARD
    LOAM_SIZE(1) void *loam_mem_chunk(size_t size, loam_chunk_source source) LOAM_NOTHROW;

// The chunk number `i` of the record, in order of address. Copies it to *ret_chunk and returns
// true, or returns false when there are not so many. The record may change between two calls.
LOAM_API bool loam_mem_chunk_at(size_t i, loam_chunk *ret_chunk) LOAM_NOTHROW LOAM_NONNULL(2);

// Number of chunks and their bytes, released ones not counted.
LOAM_API size_t loam_mem_chunk_count(void) LOAM_NOTHROW;
LOAM_API size_t loam_mem_chunk_bytes(void) LOAM_NOTHROW;

// "sbrk" or "mmap".
LOAM_API LOAM_RETURNS_NONNULL const char *
loam_chunk_source_name(loam_chunk_source source) LOAM_NOTHROW;

LOAM_END_C

#endif
