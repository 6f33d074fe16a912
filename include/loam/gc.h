// gc.h: memory that nobody frees: a collected heap.
//
// Objects live as long as something points at them; the rest is found and reused. Use it for graphs
// whose owners nobody can name: interpreters, proofs, caches of each other. Do not use it where a
// region's end or a box's owner is plain: both are cheaper, and tell when memory goes.
//
//     #include <loam/gc.h>
//     #include <stdio.h>
//     struct node { struct node *left, *right; };
//     int main(void)
//     {
//         loam_gc *gc = loam_gc_new("nodes", NULL);
//         struct node *n = loam_gc_make(gc, struct node, .left = NULL);
//         if (n == NULL) return 1;
//         n->right = loam_gc_make(gc, struct node, .left = n);   // a ring: no matter
//         loam_gc_collect(gc);
//         printf("%p is still there\n", (void *)n->right);
//         gc = loam_gc_free(gc);
//     }
//
// What counts as pointing: a word, at an address that is a multiple of 8, that holds the address of
// any byte of the object. Looked at are the stacks and registers of all threads, whoever made them,
// and of parked tasks; variables, also thread-local ones, of the program and its libraries; memory
// named by loam_gc_root_add; and objects that are reached themselves, but for leaves. Not looked
// at: memory from malloc, regions and other collected heaps (name it if it holds pointers), the
// buffers of channels, pointers in disguise, and a pointer one past the end of its object.
//
// The search is conservative: a number that looks like an address keeps an object. Leaves and typed
// objects make that rare. An object may go as soon as nobody points at it, also earlier than the
// end of its variable's scope: what an optimiser no longer needs, it does not keep.
//
// Any thread may allocate; none has to register. To look at the others they are stopped by a
// signal (loam_gc_signal), one that blocks it by a signal that libc keeps for itself. Where that is
// blocked too, which takes a system call by hand, or a thread does not answer, there is no
// collection, loam_gc_stats counts it in `refused`, and the heap grows instead. Not for signal
// handlers. System calls that do not restart (poll, nanosleep) may return EINTR in stopped threads.
//
// Where the search is expected to take over 15 ms and 8 MiB or more are alive (or see
// `snapshot_from`), it runs in a copy of the process (fork) while the program goes on; it is
// stopped only while that copy is made. docs/gc.md has all of it.
#ifndef LOAM_GC_H
#define LOAM_GC_H

#include <loam/layout.h>
#include <loam/owner.h>
#include <loam/region.h>
#include <stdint.h>
#include <string.h>

LOAM_BEGIN_C

typedef struct loam_gc loam_gc;

// All zero is what is usual.
typedef struct loam_gc_options {
    size_t limit;         // bytes held at most; 0 = no limit. Over it: a collection, then ENOMEM
    size_t first;         // bytes allocated before the first collection; 0 = 4 MiB
    unsigned growth;      // percent of what is live to be allocated before the next; 0 = 100, but
                          // up to 300 while that is 96 MiB at most
    size_t snapshot_from; // live bytes (expected) from which a copy is searched, SIZE_MAX = never;
                          // 0 = 8 MiB, and when the search is expected to take over 15 ms
    bool explicit_roots;  // look at named roots only, not at threads and variables
} loam_gc_options;

// ---------------------------------------------------------------- life cycle

// Give all of it back, objects and all; finalizers do not run. NULL is allowed. Returns NULL. No
// thread may be using the heap. A finalizer that is still running ends the program with one line.
LOAM_API loam_gc *loam_gc_free(loam_gc *gc);

// A heap called `name` (kept by reference) in reports, made at `place` (LOAM_HERE). options NULL:
// the usual ones. NULL with errno ENOMEM; EINVAL for a growth over 10,000; EBUSY when no signal is
// free to stop threads with.
LOAM_API LOAM_NODISCARD LOAM_OWNED(loam_gc_free,
                                   1) loam_gc *loam_gc_new_at(const char *name,
                                                              const loam_gc_options *options,
                                                              const char *place);
#define loam_gc_new(name, ...) loam_gc_new_at(name, __VA_ARGS__, LOAM_HERE) // (name, options)

// ---------------------------------------------------------------- allocating

// `size` zeroed bytes aligned to 16, every word of which may be a pointer. Size 0 gives a unique
// object. NULL with errno ENOMEM: no memory, the limit, or a size over PTRDIFF_MAX. May collect.
LOAM_API LOAM_NODISCARD LOAM_SIZE(2) void *loam_gc_alloc(loam_gc *gc, size_t size);
// The same for memory that holds no pointers (text, pixels, numbers): it is not looked into.
LOAM_API LOAM_NODISCARD LOAM_SIZE(2) void *loam_gc_alloc_leaf(loam_gc *gc, size_t size);
// By layout: aligned to as much as a page of 16 KiB, EINVAL for more and for a layout not valid.
LOAM_API LOAM_NODISCARD void *loam_gc_alloc_layout(loam_gc *gc, loam_layout layout);

// A type: in each `size` bytes (a multiple of 8, up to 512) pointers stand at the given offsets
// (multiples of 8) alone. At most 62 types a heap; the same one twice is one. 0 with *ret;
// -EINVAL, -ENOSPC.
typedef struct loam_gc_type {
    unsigned number;
} loam_gc_type;
LOAM_API LOAM_NODISCARD int loam_gc_type_add(loam_gc *gc, size_t size, const size_t *offsets,
                                             size_t count, loam_gc_type *ret);
// `count` zeroed objects of the type, side by side. Errors as loam_gc_alloc; EINVAL for a type that
// this heap does not have.
LOAM_API LOAM_NODISCARD void *loam_gc_alloc_typed(loam_gc *gc, loam_gc_type type, size_t count);

// A copy of `size` bytes, which may be NULL for none.
static inline void *loam_gc_copy(loam_gc *gc, const void *from, size_t size)
{
    void *p = loam_gc_alloc(gc, size);
    return p == NULL || size == 0 ? p : memcpy(p, from, size);
}
#ifndef __cplusplus
// A T, given as in a compound literal; what is not named is zero.
#define loam_gc_make(gc, ...) LOAM_GC_MAKE_(gc, __VA_ARGS__, )
#define LOAM_GC_MAKE_(gc, T, ...) \
    ((T *)loam_gc_copy(gc, __extension__ & (T){__VA_ARGS__}, sizeof(T)))
#endif

// ---------------------------------------------------------------- collecting

// Find what nobody points at, now, and make it free; then run finalizers that are due. Waits for a
// search that goes on, and for its own. 0; -EBUSY: a thread does not listen to the signal, or
// collections are held; -ENOMEM. Threads go on as told above.
LOAM_API int loam_gc_collect(loam_gc *gc);
// No collection between these two; they nest. An allocation over the limit fails rather. Letting go
// more often than holding ends the program with one line.
LOAM_API void loam_gc_hold(loam_gc *gc);
LOAM_API void loam_gc_let(loam_gc *gc);

// The signal by which threads are stopped; 0 before there is a heap. A thread that blocks signals
// may leave this one out; workers of tasks do, if the heap was made before loam_task_run.
LOAM_API int loam_gc_signal(void);

// ---------------------------------------------------------------- roots

// Look for pointers in [p, p + size) too, which must stay readable until it is removed. 0, or
// -ENOMEM; -EINVAL: NULL, or the end of memory lies in between. Adding the same twice: it is to be
// removed twice. Remove: -ENOENT when no root begins at p.
LOAM_API LOAM_NODISCARD int loam_gc_root_add(loam_gc *gc, const void *p, size_t size);
LOAM_API int loam_gc_root_remove(loam_gc *gc, const void *p);
// All that is pushed into a region. Remove it before the region is done.
LOAM_API LOAM_NODISCARD int loam_gc_root_region(loam_gc *gc, const loam_region *r);
LOAM_API int loam_gc_root_region_remove(loam_gc *gc, const loam_region *r);

// ---------------------------------------------------------------- weak references, finalizers

// Refers to an object without keeping it. All zero refers to none.
typedef struct loam_gc_weak {
    uint32_t index, generation;
} loam_gc_weak;
// 0; -ENOMEM; -EINVAL when `p` points to no object of this heap. To an inner byte: to that byte.
LOAM_API LOAM_NODISCARD int loam_gc_weak_add(loam_gc *gc, const void *p, loam_gc_weak *ret);
// The object, kept from now on by whoever holds the result; NULL when it was collected, or the
// reference removed.
LOAM_API LOAM_NODISCARD void *loam_gc_weak_get(loam_gc *gc, loam_gc_weak w);
LOAM_API void loam_gc_weak_remove(loam_gc *gc, loam_gc_weak w);

// Call fn(p, arg) some time after nobody points at the object any more; weak references to it are
// gone by then, the object and all that it points at are still there, and go at the next
// collection unless fn makes them reachable again. `arg` counts as a root until then. Each runs
// once; in no order. Finalizers run in loam_gc_collect and loam_gc_finalize, in the thread that
// calls it, with no lock held: they may allocate, collect, and end the program, but not free the
// heap. 0; -ENOMEM; -EINVAL when p is not the start of an object of this heap, or fn is NULL.
LOAM_API LOAM_NODISCARD int loam_gc_finalizer_add(loam_gc *gc, void *p,
                                                  void (*fn)(void *p, void *arg), void *arg);
// Forget the finalizers of an object that are not due yet. How many. Cost: linear in finalizers.
LOAM_API size_t loam_gc_finalizer_remove(loam_gc *gc, const void *p);
// Run finalizers that are due; how many. Call it where the program is ready for them.
LOAM_API size_t loam_gc_finalize(loam_gc *gc);

// ---------------------------------------------------------------- queries

// The object that p points into: its start, and the bytes it can hold. NULL and 0 for a pointer
// that is not of this heap, or to no object that was handed out.
LOAM_API void *loam_gc_start(loam_gc *gc, const void *p);
LOAM_API size_t loam_gc_size(loam_gc *gc, const void *p);

// Pauses by length: pause_counts[i] were shorter than 16 << i microseconds, and not shorter than
// half of that (the last: whatever is longer).
#define LOAM_GC_PAUSES 16
typedef struct loam_gc_stats {
    size_t held_bytes;      // from the heap, with tables
    size_t live_bytes;      // in objects that the last search left
    size_t live_objects;    // number of them, and of those made while it went on in a copy
    size_t allocated_bytes; // since it began, as windows were taken: up to 64 objects each early
    size_t collections;     // done
    size_t snapshots;       // of these, how many searched a copy
    size_t refused;         // given up because a thread did not listen
    size_t spoiled;         // given up because a weak reference brought an object back meanwhile
    size_t finalizers_due;  // waiting to be run
    size_t freed_objects;   // by all collections
    uint64_t pause_ns_last; // all threads stood still
    uint64_t pause_ns_max;
    uint64_t pause_ns_total;
    uint64_t sweep_ns_max;  // threads that need memory wait so long behind a pause
    uint64_t mark_ns_total; // searching, wherever
    uint64_t marked_bytes;  // that were looked at
    size_t pause_counts[LOAM_GC_PAUSES];
} loam_gc_stats;
LOAM_API loam_gc_stats loam_gc_usage(loam_gc *gc);

LOAM_END_C

#endif
