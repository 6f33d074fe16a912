// record.h: full tracking of this process into a recording.
//
// Where the recording or LOAM asks for it, blocks are sampled instead (heap/sample.c): then only
// those that were chosen have a tag, and counters are estimates (F8).
//
// record_start puts itself between the libc names and the heap: each block then has a tag, each
// stack a site with exact counters (format/recording.h). After start-up everything is memory, and
// a futex now and then: no descriptor is held, no file is opened.
//
// fork: the child goes on in the same mapping as a process of its own. Its record is made at its
// first allocation, so that a child that only calls exec leaves none. Blocks that it inherited are
// its parent's; their frees are not counted anywhere. exec: the new program starts anew. A vfork
// child runs on its parent's memory, as if it were the thread that called vfork: what it allocates
// is counted there, because there it stays.
#pragma once

#include "base/base.h"

struct record_program {
    int argc;
    char **argv;
    char **envp;
    u64 sample_bytes; // sample one block in so many bytes; 0: as the recording says
};

// Begin. Call once, while one thread runs, before the program's own code. 0, or why not: -errno
// of opening, -EPROTO when the file is no recording of our version, -ENOSPC when it has no room.
// In every case the program runs on.
int record_start(const char *path, const struct record_program *program);
// Be ready to begin when a tool asks for samples (heap_sample_ready). Call instead of record_start.
void record_ready(const struct record_program *program);
// The program brings its own malloc: say so, and watch nothing.
void record_bypassed(void);
// An orderly end: note the status, and where the recording asks for it have the tool look for
// leaks before memory is gone. Safe from any thread, in signal handlers, with all signals blocked,
// in a vfork child (does nothing), and again.
void record_end(int status);
