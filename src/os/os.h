// os.h: the kernel, as the layers above see it. The only code that makes system calls or knows a
// CPU lives in this folder.
//
// O1  every mapping made here stands in the chunk record (os/chunk.c) under its address, but for
//     the stacks of tasks (K2 in os/stack.h) and memory shared with a copy (os/twin.h).
// O2  functions return 0 or -errno, or a pointer or NULL; none changes errno.
#pragma once

#include "base/base.h"

#include <stdatomic.h>

#define OS_PAGE 4096ull // smallest page of the machines we run on; never assumed to be exact

// Map `size` bytes (a multiple of OS_PAGE) of zeroed memory, anywhere. NULL when the kernel
// refuses.
void *os_map(size_t size);
// The same at `at` exactly, telling why not: 0, -EEXIST (the place is taken) or -errno.
int os_map_at(void *at, size_t size);
int os_map_unnoted(void *at, size_t size); // the caller calls chunk_note when it has come
void os_unmap(void *at, size_t size);
// Give the RAM back but keep the addresses; 0 only if the memory reads as zero from now on.
int os_purge(void *at, size_t size);
// Ask for huge pages behind [at, at + size); nothing comes of it where there are none.
void os_want_huge(void *at, size_t size);
// Make OS pages [at, at + size) writable at once that would cost a fault each: those that a copy of
// the process shares, or that nothing is behind yet. Contents stay.
void os_touch(void *at, size_t size);
// Leave the OS pages that lie whole in [at, at + size) out of core files, if the kernel agrees.
void os_undumped(void *at, size_t size);
// Let no one read or write OS pages of ours; `on` false: again. False when the kernel refuses.
bool os_fence(void *at, size_t size, bool on);
// Move the pages of [from, size) to `to`, an existing mapping of the same size, by remapping;
// `from` stays mapped and reads as zero. 0, or -errno, and `from` is as it was; -ENXIO: some of
// `to` is no longer mapped.
int os_move(void *from, void *to, size_t size);
// An address where much room is likely to be free, above and below; another one for each `attempt`.
uintptr_t os_place(unsigned attempt);
// Random bits that differ from process to process, without a system call.
u64 os_random(void);
size_t os_page_size(void);
// Give the processor away for a moment.
void os_yield(void);
// Wait while *word == value, at most ms milliseconds; wake all waiters, or one.
void os_wait(_Atomic u32 *word, u32 value, u32 ms);
void os_wake(_Atomic u32 *word);
void os_wake_one(_Atomic u32 *word);
u64 os_realtime_ns(void);
u64 os_monotonic_ns(void);
u64 os_cpu_ns(void);    // that the calling thread has used
u64 os_coarse_ms(void); // of the monotonic clock, good to some 4 ms; costs a few nanoseconds

// Tests only: let the n-th mapping from now on fail (and all later ones); 0 = never.
extern _Atomic long os_fail_after;
// Whether the mapping that is about to be made shall fail; counts.
bool os_refused(void);

// A lock of one word. It knows its holder, so a signal handler that interrupted the holder can
// see that waiting would be for ever.
struct lock {
    _Atomic uintptr_t holder; // thread pointer of the holder, 0 = free
};
// False when the calling thread itself already holds it (it was interrupted by a signal handler).
bool lock_take(struct lock *l);
bool lock_try(struct lock *l);  // false as well when another thread holds it
bool lock_held(struct lock *l); // by the calling thread
void lock_give(struct lock *l);

// For fork handlers. `end`: do not wait past this os_coarse_ms; 0: wait.
enum lock_got { LOCK_GOT, LOCK_MINE, LOCK_MISSED };
enum lock_got lock_take_until(struct lock *l, u64 end);
void lock_break(struct lock *l); // in the child, which does not have the thread that held it
