// world.h: stop all other threads of the process, wherever they are, and let them go on.
//
// A signal goes to each thread that /proc names. Its handler stores where its stack is, says so,
// and waits. The kernel has pushed the thread's registers onto that stack, so that everything the
// thread holds lies from `sp` upwards, behind its thread pointer, or in a thread-local block.
//
// A thread that blocks the signal gets one of libc's (loud.h). One that blocks that too, or does
// not answer, cannot be stopped; then nobody is, and world_stop says -EBUSY.
// Whoever is stopped may hold any lock: until world_go the caller takes none that it did not take
// before, and allocates nothing. docs/gc.md has the protocol.
#pragma once

#include "base/base.h"

#include <stdatomic.h>

struct world_thread {
    u32 tid;
    _Atomic u32 state; // 4 times the number of the stop, plus what it was told and says (world.c)
    const char *sp;    // what it holds lies from here up
    const char *tp;    // its thread pointer
};

// From now on threads may be stopped: choose a signal and install its handler. 0, or -ENOMEM or
// -EBUSY (no signal is free).
int world_open(void);
// The signal that threads should not block; 0 before world_open.
int world_signal(void);

// Stop all threads but the caller's, one stop at a time (the caller sees to it). 0; -EBUSY: a
// thread does not listen; -ENOMEM; -EMFILE and what else /proc may say. After a failure all run.
int world_stop(void);
void world_go(void);
// How often all threads stood still, and for how long. From any thread; numbers for people.
struct world_pauses {
    u64 count, max_ns, total_ns;
};
struct world_pauses world_pauses(void);
// Those that stand still, until world_go.
size_t world_threads(const struct world_thread **ret);
// Numbers of the thread that stopped the others, and of the process's first one. True also in a
// copy of the process that was made meanwhile.
u32 world_me(void);
u32 world_process(void);
// In the child of a fork, whose other threads are gone.
void world_forked(void);

// The mappings that addresses lie in, as they are now, from the kernel.
struct extent {
    uintptr_t addr;       // asked for
    uintptr_t start, end; // of its mapping, if that can be read and written; else 0
};
int world_extents(struct extent *e, size_t count);
// Copy memory that may not be there. Bytes copied, from the front.
size_t world_peek(const void *from, void *to, size_t size);
