// jit.h: names of code that a program made while it ran, from its perf map file.
//
// A JIT compiler that is asked to writes /tmp/perf-PID.map for profilers, a line a function:
// address and size in hexadecimal, and a name. node --perf-basic-prof does, and python -X perf.
// The file is there for anybody to write, so it is believed only if it is a plain file of our own
// user's, or root's, and no older than the process.
#pragma once

#include "base/base.h"

struct jit;

// The name of the map of a process that began at `started_ns` (CLOCK_REALTIME); false if there is
// none to be believed.
bool jit_path(char *out, size_t size, u32 pid, u64 started_ns);
// Whether a module's path is such a name.
bool jit_is_map(const char *path);

struct jit *jit_open(const char *path); // NULL if it cannot be read
struct jit *jit_free(struct jit *j);

// The function that covers an address; texts are not terminated and live as long as `j`.
struct jit_name {
    const char *function, *file; // file NULL: unknown
    size_t function_size, file_size;
    u32 line; // 0: unknown
};
bool jit_find(const struct jit *j, u64 address, struct jit_name *ret);
