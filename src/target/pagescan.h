// pagescan.h: the kernel's PAGEMAP_SCAN (Linux 6.7), which is not in the headers of the systems
// that we build on: ioctl(a process's pagemap, PAGESCAN_IOCTL, &arg) fills regions of pages that
// have the categories asked for, and returns how many; -1 with ENOTTY where the kernel is older.
#pragma once

#include "base/base.h"

#include <sys/ioctl.h>

struct pagescan_arg {
    u64 size, flags, start, end, walk_end, vec, vec_len, max_pages;
    u64 category_inverted, category_mask, category_anyof_mask, return_mask;
};
struct pagescan_region {
    u64 start, end, categories;
};

#define PAGESCAN_IOCTL   _IOWR('f', 16, struct pagescan_arg)
#define PAGESCAN_FILE    ((u64)1 << 2)
#define PAGESCAN_PRESENT ((u64)1 << 3)
#define PAGESCAN_SWAPPED ((u64)1 << 4)
#define PAGESCAN_ZERO    ((u64)1 << 5)
#define PAGESCAN_HUGE    ((u64)1 << 6)
