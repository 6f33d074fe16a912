// core.h: a core file as something to look at: what a process was when it was written.
//
// A core has the memory that the kernel thought worth writing (core(5): anonymous memory as a rule,
// pages of files not), registers of each thread, and the names of the mapped files. Cores of the
// kernel leave holes in the file for pages that were never touched.
//
// C1  a core comes from anywhere: every offset, size and count in it is checked against the file
//     before it is used, and one that was cut is read as far as it goes.
#pragma once

#include "scan/target.h"
#include "target/smaps.h"

#include <sys/types.h>

#define CORE_WHY 512

struct core_segment {
    u64 start, end;    // addresses
    u64 offset, bytes; // in the file; `bytes` of it are there
    bool readable, writable, executable;
};

struct core_thread {
    pid_t tid;
    u64 sp;
};

struct core {
    struct target target;         // first
    int fd;                       // -1: none
    u64 size;                     // bytes of the file
    struct core_segment *segment; // in order of address
    size_t segment_count;
    struct core_thread *thread;
    size_t thread_count;
    char *files; // contents of its note of mapped files, terminated
    size_t files_size;
    u64 entry, vdso; // addresses of the program's entry and of the vdso, or 0
    pid_t pid;
    char name[17], command[81];
    bool cut; // the file ends before its segments do
};

// 0, or -1 with a sentence in `why`.
int core_open(struct core *c, const char *path, char why[CORE_WHY]);
void core_close(struct core *c);
// The segments as mappings, by the names of their files. Borrows from *c. 0 or -ENOMEM.
int core_maps(const struct core *c, struct smaps *ret);
// Call `each` for the parts of a segment that are in the file and no hole. Stops at the first
// result that is not 0 and returns it.
int core_present(const struct core *c, const struct core_segment *s,
                 int (*each)(void *ctx, u64 start, u64 end), void *ctx);
