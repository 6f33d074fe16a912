// file.h: files that the program asks the toolkit for.
//
// Mappings made here are the program's, not loam's, so they do not stand in the chunk record (O1).
// Functions return 0 or more, or -errno; none changes errno.
#pragma once

#include "base/base.h"

// A descriptor to read from. `wait` false: never wait for somebody to open the other end of a pipe.
int os_file_open(const char *path, bool wait);
void os_file_close(int fd);
// Bytes of a regular file; -EISDIR, or -EINVAL for anything else that is none.
int os_file_size(int fd, u64 *ret_size);
// Map the first `size` bytes to read; NULL when the kernel refuses.
void *os_file_map(int fd, size_t size);
void os_file_unmap(void *at, size_t size);
// Up to `size` bytes; 0 at the end.
long os_file_read(int fd, void *to, size_t size);
