// smaps.h: the mappings of a process and what the kernel counts in each, as /proc/PID/smaps tells.
//
// This is the kernel's own sum over a mapping, and the oracle for everything that loam adds up
// itself. It walks every page table entry, 20 to 30 ms for a resident GiB of small pages.
#pragma once

#include "target/maps.h"

// Bytes, and two sorts of pages.
struct smap {
    struct map map;
    u64 rss, pss;
    u64 shared_clean, shared_dirty, private_clean, private_dirty;
    u64 anonymous;                       // pages that belong to no file
    u64 lazy_free;                       // MADV_FREE: the kernel may take them
    u64 anon_huge;                       // huge pages of anonymous memory, mapped whole
    u64 shmem_huge, file_huge;           // the same of shared memory and of files
    u64 shared_hugetlb, private_hugetlb; // of hugetlbfs: not in rss
    u64 swap, swap_pss;
    u64 locked;
    bool kernel;        // pages that are no memory of a process: devices, [vvar]
    bool stack;         // grows downwards
    bool huge, no_huge; // madvise(MADV_HUGEPAGE), MADV_NOHUGEPAGE
};

struct smaps {
    struct smap *smap; // in order of address
    size_t count;
    char *text;
};

// 0, -ESRCH, -EACCES, -ENOMEM or what open said. After a failure *s is empty.
int smaps_load(struct smaps *s, pid_t tid);
void smaps_done(struct smaps *s);
// The sums over the process, from smaps_rollup, or added up where the kernel has none.
int smaps_total(struct smap *ret_sum, pid_t tid);
// Add the counts of b to a.
void smaps_add(struct smap *a, const struct smap *b);
