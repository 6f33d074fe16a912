// account.h: what resident memory was for, as the tool saw it while programs ran.
//
// The tool writes it into blocks of its own, like the moments of timeline.h: of each process the
// account of the highest RSS that was seen and the last one, and sums over all processes as a line
// over time, which is thinned out like the moments (L1).
//
// A1  the parts of an account add up to its RSS.
// A2  there are at most ACCOUNT_PROCESSES processes, those with the highest RSS, and ACCOUNTS_MAX
//     sums: a run of a week takes no more room than one of a minute.
#pragma once

#include "format/recording.h"

enum account_part {
    ACCOUNT_LIVE,   // bytes of live blocks: what was asked for, where that is recorded
    ACCOUNT_WASTE,  // behind what was asked for, up to the size class; 0 where it is not recorded
    ACCOUNT_FREE,   // the heap's, without a live block: free blocks, tails of slabs, free pages
    ACCOUNT_TABLES, // what loam knows about blocks: tables, tags, the recording
    ACCOUNT_STACKS, // of threads, and of loam's tasks
    ACCOUNT_FILES,  // pages of files: code, constants, mapped data
    ACCOUNT_OTHER,  // anonymous memory of anybody else: .data and .bss, brk, mmap, shared memory
    ACCOUNT_PARTS
};

#define ACCOUNTS_MAX      512
#define ACCOUNT_PROCESSES 64
#define ACCOUNT_PINS      12

enum account_when {
    ACCOUNT_SUM = 0,     // over all processes that lived; no pins
    ACCOUNT_HIGHEST = 1, // of one process: at the highest RSS that was seen
    ACCOUNT_LAST = 2,    // of one process: when it was looked at last
};
enum account_known {
    ACCOUNT_HEAP = 1,  // live and free blocks are told apart
    ACCOUNT_ASKED = 2, // and what was asked for from size-class waste
};

// Slabs that are less than half live, and whose blocks keep them: the free bytes in RAM of such
// slabs are shared out to the sites of their live blocks (`pinned`); what a site keeps all alone
// would be free without it (`freed`).
struct record_pin {
    u32 site;  // of the process; 0: not known
    u32 slabs; // such slabs that have a block of it
    u64 blocks, bytes;
    u64 pinned, freed;
};

struct record_account {
    struct record head;
    u32 process; // 0: ACCOUNT_SUM
    u16 when;    // enum account_when
    u16 known;   // enum account_known
    u64 at_ns;   // L2
    u64 rss;
    u64 part[ACCOUNT_PARTS]; // A1
    u64 live_blocks;
    u64 slabs, slabs_rss, slabs_live; // less than half live: how many, bytes in RAM, live bytes
    u32 processes;                    // that a sum is over
    u32 pins_count;
    struct record_pin pin[]; // the most pinned first
};
