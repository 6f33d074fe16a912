// twin.h: a copy of the process that computes something about it, and tells through shared memory.
//
// The copy is made by a bare clone: no handler of fork runs, no signal comes when it ends, and the
// program's own wait does not see it. It has this thread alone and must not take locks, allocate
// or call libc; it closes all descriptors first, so that pipes of the program can end.
#pragma once

#include "base/base.h"

#include <stdatomic.h>

struct twin {
    int pid;           // 0 = none
    _Atomic u32 *done; // in shared memory: 1 when it has finished
};

// Memory that this process shares with copies made later. Zeroed; NULL when there is none.
void *twin_memory(size_t size);
void twin_memory_free(void *p, size_t size);

// Start fn(arg) in a copy; *done becomes 1 when it returns. 0 or -errno.
int twin_start(struct twin *t, _Atomic u32 *done, void (*fn)(void *arg), void *arg);
// 1: it has finished and is gone; 0: at work; -ECHILD: it died on the way. `wait`: until it ends.
int twin_poll(struct twin *t, bool wait);
// End it, whatever it does.
void twin_kill(struct twin *t);
