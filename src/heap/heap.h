// heap.h: the data model of the allocator: pages, slabs, windows, heaps, and what must be true.
//
// The heap hands out blocks. Blocks of one class (one size) stand side by side in a slab; a slab
// is a span of pages (16 KiB each; the kernel's 4 KiB are "OS pages"); pages lie in one stretch of
// address space, the arena, that grows by hugepages (2 MiB). Everything known about a block stands
// outside of it, in tables found by arithmetic from its address:
//
//        tables (mapped as the arena grows)                           arena
//     [ desc ][ side ][ state ][ remote ][ huge ][ free ][ dirty ]base|page 0|page 1|page 2| ...
//                                                                           |
//     p  ->  page = (p - base) >> 14  ->  desc[page], side[page], state[page], remote[page]
//
// A fourth thing, the heap, belongs to one thread at a time and holds per class a window: a
// 64-bit word of free blocks of its current slab, from which malloc takes the lowest bit.
//
// Where to read on: fast.h (malloc and free in a few instructions), refill.c (a window runs dry),
// slab.c (life of a slab), remote.c (free by a stranger), pages.c (page heap), docs/remote-free.md.
#pragma once

#include "base/base.h"

#include <stdatomic.h>

#define PAGE_SHIFT      14
#define PAGE_SIZE       ((size_t)1 << PAGE_SHIFT)
#define HUGE_SHIFT      21
#define HUGE_SIZE       ((size_t)1 << HUGE_SHIFT)
#define HUGE_PAGES      (HUGE_SIZE >> PAGE_SHIFT) // 128 pages a hugepage
#define ARENA_SIZE_MAX  (1 * TiB)
#define ARENA_PAGES_MAX (ARENA_SIZE_MAX >> PAGE_SHIFT)

#define CLASS_COUNT     72                 // 16..128 by 16, then 8 a doubling up to 32 KiB
#define CLASS_SIZE_MAX  ((size_t)32 * KiB) // larger blocks are spans of their own
#define SLAB_EXACT_MAX  ((u32)16 * KiB)    // see H3
#define SLAB_BLOCKS_MAX 1024               // so that the free bitmap fits in struct side
#define SLAB_WORDS      (SLAB_BLOCKS_MAX / 64 + 1)
#define HEAPS_MAX       65535 // heap ids fit the state word; id 0 is nobody

// ---------------------------------------------------------------- what a page is

enum page_kind {
    PAGE_NONE = 0, // free, or inside a span's whole hugepages (see `huge`), or never used
    PAGE_SLAB,     // first page of a slab
    PAGE_LARGE,    // first page of a large block
    PAGE_TAIL,     // later page of either
};

// 32 bytes a page, read by everybody, written when a span is born, dies or changes its owner.
//
// H1  kind == PAGE_SLAB or PAGE_LARGE only on the first page of a live span.
// H2  desc_first of each page of a span is its first page. Pages in hugepages that a span covers
//     whole stay PAGE_NONE and are found by huge[page >> 7], which holds the first page.
// H3  owner is the heap whose thread may touch `side`; NULL while nobody owns the slab. Only the
//     owner sets it to NULL; only who has won the state word sets it to itself. All pages of a
//     slab have the same owner, side and class, so that free needs one descriptor; in
//     classes above SLAB_EXACT_MAX, whose reciprocal errs far from the first page, later pages
//     have no owner, and the slow path decides.
struct desc {
    _Atomic(struct heap *) owner; // slab: see H3; large: NULL
    union {
        struct side *side; // slab: what its owner knows
        u64 bytes;         // large: bytes that the span can hold for its user
    };
    u32 back;   // from here to the span's first page, see desc_first
    u32 pages;  // span length in pages
    u32 tags;   // tracking: where the blocks' tags lie (record/tags.h); 0 = none
    u16 blocks; // slab: number of blocks
    u8 cls;     // slab: size class; large: 1 + that of a small block that was sampled, else 0
    u8 kind;    // enum page_kind
};
#define DESC_SHIFT 5
static_assert(sizeof(struct desc) == 1 << DESC_SHIFT, "two a cache line; found by a shift");

// `back` is the distance in pages, turned left by PAGE_SHIFT: in slabs, where it is short, that is
// the distance in bytes, as free wants it.
static inline u32 desc_back(u32 hop)
{
    return hop << PAGE_SHIFT | hop >> (32 - PAGE_SHIFT);
}
static inline u32 desc_first(const struct desc *d, u32 page)
{
    return page - (d->back >> PAGE_SHIFT | d->back << (32 - PAGE_SHIFT));
}

// The number of the block that byte `offset` of a slab lies in. The reciprocal is rounded up, so
// beyond the first page of a large class it can be one too high near the end of a block.
static inline u32 block_index(u32 magic, u32 size, size_t offset)
{
    u32 i = (u32)((offset * (u64)magic) >> 32);
    return (size_t)i * size > offset ? i - 1 : i;
}

// ---------------------------------------------------------------- what the owner knows

enum slab_where {
    SLAB_ASLEEP = 0,        // full, or freed so little that it does not pay to allocate from it
    SLAB_PARTIAL,           // worth allocating from
    SLAB_SPARSE,            // at most a quarter in use
    SLAB_IDLE,              // empty, and of a larger class (idle.c)
    SLAB_HOLED,             // sparse, and OS pages without a live block were given back (holes.c)
    SLAB_LISTS,             // up to here: the list of its heap and class that the slab is in
    SLAB_KEPT = SLAB_LISTS, // in the list of those asleep, and counted in class_state.full
    SLAB_CURRENT,           // the slab that its heap's window belongs to; in no list
    SLAB_POOLED,            // nobody's, in the pool of its class
};

// 192 bytes at the slab's first page, written by the owner alone, no atomics.
//
//     free    1 = block free
//     used    blocks that are out: handed to the program, held by the window, or freed by a
//             stranger and not yet collected
//
// S1  block i is live iff  i < blocks and its bit is in none of `free`, the `word` of its window,
//     and `remote.bits`.
// S2  left + low == used == blocks - popcount(free & valid).
// S3  bit number `blocks` is always 1: an index behind the last block looks like a double free.
// S4  the allocator never writes into a block, except to zero it.
struct side {
    union {
        struct {
            int16_t left; // S2; counts down to 0, where slab_edge runs: one instruction
            u16 low;      // used at which that happens
        };
        u32 both; // read at once by strangers (remote.c), so changed at once but for the count
    };
    u16 fresh; // blocks from here on were never handed out since the pages came
    u8 where;  // enum slab_where
    u8 zeroed; // pages were all zero when the slab was made
    u32 magic; // reciprocal of the block size: index = offset * magic >> 32
    u32 pad;
    u64 free[SLAB_WORDS];
    u64 holes; // HOLED: bit i: OS page i was given back; it reads as zero
    u32 next;  // list links as page numbers, 0 = end (page 0 is never a slab)
    u32 prev;
    u64 pad2[3];
};
// S2
static inline u32 side_used(const struct side *e)
{
    return (u32)(e->left + e->low);
}
static inline void side_set_low(struct side *e, u32 low)
{
    struct side to;
    to.left = (int16_t)(side_used(e) - low);
    to.low = (u16)low;
    __atomic_store_n(&e->both, to.both, __ATOMIC_RELAXED);
}
static_assert(sizeof(struct side) == 192, "three lines: the first has the counters and 384 blocks");

// ---------------------------------------------------------------- what strangers write

// The state word decides who owns a slab. Every change is a compare-and-swap under its
// generation, which grows when the slab's pages are given back (docs/remote-free.md):
//
//     63        32 31      8 7 6 5 4 3 2 1 0
//     [generation][ heap id ][     flags     ]
//
// R1  id != 0  iff somebody owns the slab; then desc.owner is that heap, or about to be.
// R2  DIRTY    a stranger has set bits; the slab is in, or about to be in, its owner's dirty list.
//              A dirty slab is not parked, pooled or released, so its owner is stable.
// R3  POOLED   id == 0 and the slab is in its class's pool; changes only under the pool's lock.
// R5  CURRENT  the slab of its owner's window: blocks may be handed out. Set before the first one
//              is, cleared when the window has left it.
// R6  PURGING  a stranger gives the memory of a wholly free slab back: its owner sleeps, or the
// slab
//              is idle and somebody trims. Only without CURRENT; while it stands the slab is not
//              made current or released.
// R4  after its bit is set a freer may only change the state word, under the generation it read
//     before: the slab may be gone.
#define STATE_DIRTY     ((u64)1)
#define STATE_POOLED    ((u64)2)
#define STATE_GONE      ((u64)4) // released: no slab here; whoever frees into it errs
#define STATE_CURRENT   ((u64)8)
#define STATE_PURGING   ((u64)16)
#define STATE_ID_SHIFT  8
#define STATE_ID_MASK   ((u64)0xffffff << STATE_ID_SHIFT)
#define STATE_GEN_SHIFT 32

struct state {
    _Atomic u64 word;
    _Atomic u32 next; // link in the owner's dirty list, a page number
    u32 pad;
};
static_assert(sizeof(struct state) == 16, "small, because every slab writes its own at birth");

// Touched only by slabs that a stranger freed into: a program of one thread never pays for it.
struct remote {
    _Atomic u64 bits[SLAB_WORDS - 1]; // 1 = freed by a stranger, not yet collected
};
static_assert(sizeof(struct remote) == 128, "remote lines are shared with no other slab");

// ---------------------------------------------------------------- a thread's heap

// W1  the bits of `word` are 0 in `*free`, and their blocks count as used.
// W2  base is the address of block 0 of `*free`'s word.
// W3  free() does not write here, and malloc does not write into struct side. A program that frees
//     and allocates blocks of many sizes in random order would else have each malloc load what an
//     earlier free may just have stored, at an address not known yet: processors guess, and pay
//     for a wrong guess like for a mispredicted branch (20 ns a pair instead of 7).
struct window {
    u64 word;   // free blocks that malloc hands out, lowest first
    char *base; // W2
    u64 *free;  // the word of side.free that this window was taken from; NULL = no window
    u64 size;   // bytes a block; constant
};

#define AT_START 0xffff
struct class_state {
    u32 current;          // slab of the window, 0 = none
    u32 list[SLAB_LISTS]; // slabs of this heap, by enum slab_where
    u16 at;               // word of `current` that the window was taken from last, or AT_START
    u16 full;             // full slabs that stay owned, see slab_park
    u8 zero;              // every block left in the window is known to be all zero, and large
    u8 due;               // the window was cut: the next block is a sample (sample.c)
};

// G1  busy != 0 while this heap's own thread is inside it. Who interrupts that thread (a signal
//     handler) uses the second heap; who stops it lets it run on until busy == 0.
struct heap {
    u8 busy; // G1; a line of its own, no other thread writes here
    u8 pad[63];
    _Atomic u32 dirty;       // slabs with remote frees, linked by state.next; pushed by strangers
    _Atomic u32 dirty_pages; // pages of slabs pushed since the last drain
    _Atomic u32 drained_ms;  // when that was, by the coarse clock
    u32 id;                  // 1.. ; index in the.heaps
    struct heap *second;     // for signal handlers that find this one busy
    struct heap *next;       // list of heaps without a thread
    void *above;             // what the layer above keeps for whoever uses this heap; NULL at first
    u8 retired;              // no thread uses it
    u8 sampled;              // what sampling was when sample_left was drawn: 0 off
    u8 pad2[6];
    u64 sample_left; // bytes until the next sample (sample.c)
    u64 sample_seed;
    struct window window[CLASS_COUNT];
    struct class_state cls[CLASS_COUNT];
};

// ---------------------------------------------------------------- how others look at it

// One symbol, `loam_heap_root`, by which the tool finds everything in a live process or a core.
#define HEAP_ROOT_MAGIC   0x70616548206d616full // "oam Heap"
#define HEAP_ROOT_VERSION 3
struct heap_root {
    u64 magic;
    u32 version;
    u32 page_shift;
    u64 base;          // arena address; 0 before the first allocation
    _Atomic u64 pages; // pages of the arena that have been mapped or skipped so far
    u64 desc, side, state, remote, huge; // table addresses: struct desc[], struct side[], ...
    u64 heaps;                           // address of struct heap *[HEAPS_MAX + 1], indexed by id
    _Atomic u64 heaps_count;             // highest id in use
    u64 far, far_count;                  // blocks outside the arena: struct far_block[far_count]
    u64 chunks; // address of the chunk_view(): loam's own mappings, which hold no roots
    u64 owners; // address of struct owner_shard[OWNER_SHARDS]: regions, pools, tasks
    // Of a program that may be asked to sample itself: addresses of a struct heap_wish, and of the
    // u32 to be set to 1 when that is filled in. 0: it may not.
    u64 wish, sampled;
};

// What a tool writes into a running process that it wants sampled. Nobody looks at it before a slow
// path finds arena.sampled set, which costs the program nothing until then.
#define WISH_PATH 256
struct heap_wish {
    u64 mean;        // bytes between two samples; by default SAMPLE_MEAN
    _Atomic int why; // 0, or -errno: by the program, if it could not; 1: it is done
    u32 pad;
    char path[WISH_PATH]; // of the recording
};
#define SAMPLE_MEAN ((u64)512 * KiB)

// A block that did not fit in the arena, in a mapping of its own. addr is 0 when free; 1 while
// the entry is being filled.
struct far_block {
    _Atomic u64 addr;
    u64 bytes;  // mapped
    u64 usable; // from addr
    u32 tag[4]; // tracking: as for a large block
};

extern struct heap_root loam_heap_root;

// Sampling: who is told of the blocks that were chosen, one in so many bytes (sample.c). Not beside
// heap_ops. All but `gone` and `fork_child` may be called by any thread, outside of its heap.
struct heap_sampler {
    // p was allocated and is a sample: `size` asked for, `capacity` counted.
    void (*chosen)(void *p, size_t size, size_t capacity);
    // A sample is about to be freed, or has another size now.
    void (*freed)(void *p, size_t capacity);
    void (*tags_gone)(struct desc *d); // as of heap_ops
    void (*fork_child)(void);
};

// Tracking and guard replace what a call means; chosen once, before the program runs. While set,
// every thread's fast pointer stays on an empty heap, so each call ends in the slow path and asks
// here. This is the one call that points up the layers.
struct heap_ops {
    void *(*alloc)(size_t size, size_t align, bool zero, int kind);
    void (*free)(void *p, int kind);
    void *(*realloc)(void *p, size_t size);
    size_t (*usable)(const void *p);   // bytes that the program may use of a live block
    void (*tags_gone)(struct desc *d); // a span with tags dies: give desc.tags back
    void (*fork_child)(void);          // in the child, after the heap is usable
    void (*forget)(void *p); // a live block that is never to be freed: no leak; may be NULL
};
