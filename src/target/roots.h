// roots.h: where a stopped process's pointers start.
//
// Everything that is readable and writable counts, because memory that no allocator gave out may
// hold pointers too: .data and .bss, the memory of other allocators and of collectors, fibre
// stacks, shared memory, thread descriptors with static TLS in them. (Dynamic TLS and the values
// of pthread keys hang from the thread descriptors.) Taken out of that:
//
//   - loam's own mappings, the recording and libloam.so's data, which are full of addresses of
//     blocks that mean nothing;
//   - what lies below the stack pointer of a running thread, 128 bytes of red zone apart: for the
//     first thread's stack, and for memory with a guard below it, as threads have;
//   - stacks of threads that have ended and that libc keeps for the next one, but for the thread
//     descriptor;
//   - devices: reading them may do things.
//
// Where it is not certain that memory is a dead stack, it counts: that can hide a leak, the
// contrary would invent one. Added to it: registers, and the words that the kernel keeps for the
// program: epoll data and the values of timers.
#pragma once

#include "scan/mark.h"
#include "target/maps.h"
#include "target/memory.h"
#include "target/stop.h"

struct roots {
    struct memory *memory;
    const struct maps *maps;
    const struct stop *stop;
    const struct map *recording;       // or NULL
    u64 root;                          // address of the heap's root
    pid_t asking;                      // the thread that asked for the scan and waits for it, or 0
    const struct record_process *proc; // exit_sp and exit_kept of the asking thread
};

// Mark everything that the roots point to, and zero the dead parts of stacks that lie in blocks;
// mark_run is still to be done. 0, -ENOMEM or -ESRCH.
int roots_mark(const struct roots *r, struct blocks *b, struct mark *m);
