// memory.h: another process's memory as a target for the scan.
//
// Reads never write: what the process has not touched stays untouched, because reading an absent
// page of a big sparse mapping would give the process page tables, and reading a hole of a shared
// mapping would even allocate it.
#pragma once

#include "scan/target.h"

#include <sys/types.h>

struct memory {
    struct target target; // first
    pid_t tid;            // a living thread; the process's first one may be gone
    int pagemap;          // descriptor, or -1
    int mem;              // descriptor of /proc/TID/mem, opened when it is needed, else -1
    bool slow;            // process_vm_readv is not to be had: use mem
    size_t os_page;
};

void memory_open(struct memory *m, pid_t tid);
void memory_close(struct memory *m);

// Call `each` for the parts of [start, end) that the process has touched, in order; all of it when
// the kernel does not tell. Stops at the first result that is not 0 and returns it.
int memory_present(struct memory *m, u64 start, u64 end, int (*each)(void *ctx, u64 start, u64 end),
                   void *ctx);
