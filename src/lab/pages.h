// pages.h: what the kernel says of our own pages and faults, for experiments about them.
//
// The counters of resident memory in /proc/PID/statm are kept per processor and lag behind by
// dozens of pages: /proc/self/pagemap tells of each page exactly, and needs no privilege but for
// the numbers of the frames.
#pragma once

#include "base/base.h"

// How many of the pages from `at` have a frame, or are swapped out. -1: nobody tells.
long pages_present(const void *at, size_t bytes);
long pages_swapped(const void *at, size_t bytes);
// The number of the frame behind `at`; 0: none, or we may not know.
u64 pages_frame(const void *at);
// Page faults of the calling thread so far, exact.
u64 pages_minor_faults(void);
u64 pages_major_faults(void);
