// threads.h: whose stack is whose: a process's threads by name, found without stopping any.
//
// A thread that waits in the kernel shows its stack pointer in /proc/PID/task/TID/syscall. One that
// runs does not; but a thread that libc made has its descriptor at the top of its stack, which
// points to itself and holds the thread's number.
#pragma once

#include "scan/target.h"
#include "target/smaps.h"

#include <sys/types.h>

struct thread_stack {
    pid_t tid;
    char name[32];  // as the kernel has it, at most 15 bytes; anything may stand in it
    u64 sp;         // where it stood when it was looked at, or 0
    u64 start, end; // the mapping that its stack lies in; 0, 0: not found
};

struct threads {
    struct thread_stack *stack; // in order of tid; the first thread's is "[stack]"
    size_t count;
};

// 0 or -errno. What could not be found out has zeroes.
int threads_load(struct threads *t, pid_t pid, struct target *target, const struct smaps *smaps);
void threads_done(struct threads *t);
