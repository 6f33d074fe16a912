// space.h: the address space of a process, every byte with a mapping, a page state and an owner.
//
//     struct space s;
//     e = space_load(&s, pid, SPACE_OWNERS);       // 0 or -errno
//     for (size_t i = 0; i < s.part_count; i++)    // in order of address
//         ... s.part[i].kind, s.part[i].by[RES_SMALL] ...
//     space_done(&s);
//
// A part is a piece of one mapping with one owner. Mappings are the kernel's view; owners are the
// program's: loam's heap may share one mapping with nobody or lie in several, two mappings of a
// library are one owner. The process goes on while it is read; nothing is stopped.
//
// D1  parts stand in order of address, do not overlap, and cover exactly the mappings.
// D2  runs stand in order of address, do not overlap and lie inside one part each; what no run
//     covers is absent.
// D3  part.by[RES_ABSENT] + ... == part.end - part.start.
#pragma once

#include "scan/blocks.h"
#include "target/core.h"
#include "target/memory.h"
#include "target/owners.h"
#include "target/recorded.h"
#include "target/residence.h"
#include "target/threads.h"

enum space_kind {
    SPACE_HEAP,      // loam's heap: the arena, and blocks outside of it
    SPACE_TABLES,    // what loam's heap knows about its blocks
    SPACE_RECORDING, // the mapped recording of a program under `loam run`
    SPACE_BRK,       // what sbrk gave
    SPACE_ARENA,     // glibc's malloc: an arena of a thread
    SPACE_STACK,     // a thread's stack
    SPACE_TASKS,     // stacks of loam's tasks
    SPACE_PROGRAM,   // the executable's own segments
    SPACE_LIBRARY,   // those of libraries
    SPACE_FILE,      // other mapped files
    SPACE_SHARED,    // memory shared with other processes
    SPACE_ANONYMOUS, // anybody's
    SPACE_RESERVED,  // addresses without access: guards, reservations
    SPACE_KERNEL,    // [vdso], [vvar], [vsyscall]
    SPACE_KINDS
};
extern const char *const space_kind_names[SPACE_KINDS]; // "heap", "tables", ...

struct space_part {
    u64 start, end;
    u32 mapping; // index into smaps
    enum space_kind kind;
    const char *name;  // whose: a path, a thread's name; "" if the kind says it all. Not cleaned.
    pid_t tid;         // SPACE_STACK: the thread, or 0
    u64 by[RES_COUNT]; // bytes by state; D3
    u64 file;          // bytes of those in RAM that belong to the page cache
    size_t run_first, run_count;
};

struct space {
    pid_t pid;
    struct smaps smaps;
    struct space_part *part; // D1
    size_t part_count, part_room;
    struct residence_run *run; // D2
    size_t run_count, run_room;
    struct threads threads;
    struct residence residence;
    struct memory memory;
    struct core core;                   // where its memory is read from instead, if fd is not -1
    char exe[4096];                     // path of the program, "" if it is not told
    int no_pages;                       // why page states are not known, -errno; 0: they are
    int no_memory;                      // why its memory could not be read, -errno; 0: it could
    const struct record_process *known; // its record, if the tool has it mapped
    u64 root;                           // of loam's heap, 0: none
    bool heap;                          // blocks are known
    bool asked;                         // and the sizes that were asked for, and their sites
    struct recorded recorded;
    struct owners owners; // regions, pools, tasks
    struct blocks blocks;
};

enum {
    SPACE_FRAMES = 1, // a run's frames are contiguous, and told if we may know
    SPACE_BLOCKS = 2, // the blocks of loam's heap
};

// 0; -ESRCH, -EACCES, -ENODATA (no memory of its own), -ENOMEM.
int space_load(struct space *s, pid_t pid, unsigned what);
// The same of the process that wrote `known`, which saves reading the recording through its memory;
// -ESRCH too if it is not that process (any more).
int space_load_known(struct space *s, pid_t pid, unsigned what, const struct record_process *known);
// The same from a core: pages are those that were written into it, and nothing is known of the
// others. 0, or -1 with a sentence in `why`.
int space_load_core(struct space *s, const char *path, unsigned what, char why[CORE_WHY]);
void space_done(struct space *s);
static inline bool space_is_core(const struct space *s)
{
    return s->core.fd >= 0;
}
// What reads its memory. The space must not be moved while it is used, nor its blocks.
static inline struct target *space_target(struct space *s)
{
    return space_is_core(s) ? &s->core.target : &s->memory.target;
}

const struct space_part *space_find(const struct space *s, u64 addr);
// Bytes of a part that are in RAM and count in RSS; in swap.
u64 space_resident(const struct space_part *p);
