// wish.h: ask a running process on loam's heap, which nobody started for it, to sample itself.
//
// No signal, no stop, no code put into it: three words of its own library are written through
// /proc/PID/mem, and the thread that next comes to a slow path of malloc and is due for a sample
// opens the recording and begins. See struct heap_wish.
#pragma once

#include "base/base.h"

#include <sys/types.h>

struct wish {
    pid_t pid;
    int mem;           // /proc/PID/mem
    u64 wish, sampled; // addresses in the process
};

// 0, or -1 with a sentence in `why`: not on loam's heap, recorded already, or where opening a file
// could harm it.
int wish_open(struct wish *w, pid_t pid, char *why, size_t why_size);
void wish_close(struct wish *w);
// Let it record into `path`, one block in `mean` bytes; 0: as it likes. 0 or -errno.
int wish_make(struct wish *w, const char *path, u64 mean);
// 1: it does; 0: not yet; -errno: why it does not, or -ESRCH when it is gone.
int wish_answer(struct wish *w);
// Nobody serves the recording: it need not begin any more.
void wish_end(struct wish *w);
