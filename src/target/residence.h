// residence.h: where the pages of a mapping are: nowhere, in RAM (and of which kind), in swap.
//
//     struct residence r;
//     residence_open(&r, pid);
//     e = residence_walk(&r, &smaps.smap[i], false, each, ctx);   // runs of equal pages
//     residence_close(&r);
//
// Every page has exactly one state, and the states that take RAM add up to the mapping's smaps:
//
//     small + huge + clean + dirty + shared  ==  Rss
//     swapped                                ==  Swap
//
// (of a process that stands still: the two are read one after the other). What the kernel tells
// without privilege is enough for that. Only which pages of a file are dirty, in a mapping where
// some are and some are not, and frame numbers, are told to root alone.
#pragma once

#include "target/smaps.h"

enum residence_state {
    RES_ABSENT,  // never touched, or given back; no page table entry
    RES_GUARD,   // a guard without a mapping of its own (MADV_GUARD_INSTALL): faults
    RES_ZERO,    // read, never written: the one page of zeroes that all share; no RAM of its own
    RES_SMALL,   // anonymous memory of this process alone, in small pages
    RES_HUGE,    // the same, in a huge page mapped whole
    RES_SWAPPED, // in swap
    RES_CLEAN,   // of a file, as on disk: the kernel can drop it at no cost; mapped here alone
    RES_DIRTY,   // of a file or shared memory, written; mapped here alone
    RES_SHARED,  // mapped more than once, of whatever kind
    RES_KERNEL,  // a device's or the kernel's own page; counts for nobody
    RES_COUNT
};
extern const char *const residence_names[RES_COUNT]; // "absent", "guard", ...

struct residence {
    int pagemap; // /proc/PID/pagemap, or -1: nothing is known
    int kpage;   // /proc/kpageflags, or -1
    bool scan;   // PAGEMAP_SCAN answers
    bool frames; // frame numbers are told
    size_t os_page;
};

struct residence_run {
    u64 start, end;
    enum residence_state state;
    bool file; // the page cache's: of a file or of shared memory
    u64 frame; // number of the first frame; the others follow. 0: not asked for, or not told
};

// 0, or why pages will not be known: -EACCES, -ENOENT, -ESRCH.
int residence_open(struct residence *r, pid_t tid);
void residence_close(struct residence *r);
static inline bool residence_takes_ram(enum residence_state s)
{
    return s == RES_SMALL || s == RES_HUGE || s == RES_CLEAN || s == RES_DIRTY || s == RES_SHARED;
}

// Call `each` for the runs of the mapping that are not absent, in order of address. With `frames`
// a run's frames are contiguous. Stops at the first result that is not 0 and returns it; -ESRCH
// when the process is gone.
int residence_walk(struct residence *r, const struct smap *m, bool frames,
                   int (*each)(void *ctx, const struct residence_run *run), void *ctx);

// Flags of a frame (KPF_* of linux/kernel-page-flags.h), and how often it is mapped. False without
// privilege.
bool residence_frame(const struct residence *r, u64 frame, u64 *ret_flags, u64 *ret_count);
// The page table's word for one page, as /proc/PID/pagemap has it; 0 if there is none.
u64 residence_entry(const struct residence *r, u64 addr);
// Whether a page is mapped by a huge entry; false where the kernel does not tell (before 6.7).
bool residence_is_huge(const struct residence *r, u64 addr);
#define ENTRY_PRESENT   ((u64)1 << 63)
#define ENTRY_SWAPPED   ((u64)1 << 62)
#define ENTRY_FILE      ((u64)1 << 61)
#define ENTRY_GUARD     ((u64)1 << 58)
#define ENTRY_EXCLUSIVE ((u64)1 << 56)
#define ENTRY_FRAME     (((u64)1 << 55) - 1)
