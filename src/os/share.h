// share.h: memory shared with another process, and two careful questions to the kernel.
#pragma once

#include "base/base.h"

// Map the first `size` bytes of the file at `path` shared, for reading and writing, and close the
// file again: from then on no descriptor is needed. The size of the file is not looked at: touching
// what lies behind its end is a SIGBUS, so the caller must know what is backed. 0 or -errno.
int os_share_open(const char *path, size_t size, void **ret_at);
// Map the file on, from `size` to `more` bytes, in place: the mapping was put where much room is
// free. What is not mapped yet costs no address space, which may be limited, and cannot be locked
// in RAM by mlockall. 0 or -errno.
int os_share_grow(void *at, size_t size, size_t more);
void os_share_close(void *at, size_t size);
// Bytes that the file at `path` has, or -errno.
int os_share_size(const char *path, u64 *ret_bytes);

// Whether the word at p (4-aligned) can be read, found out without reading it: one futex call,
// about 0.2 us. The whole OS page is then readable. Never faults; safe in a signal handler.
bool os_readable(const void *p);

// The id that libc believes the calling thread has. In the child of vfork, which runs on its
// parent's memory, that is the parent's; in the first thread of a process it is the process's.
u32 os_thread_id(void);
// Whether the calling thread really has this id: one futex call.
bool os_is_thread(u32 id);
// Whether there is a thread of this id, in any process: one futex call. True if it cannot be told.
bool os_thread_lives(u32 id);
