// timeline.h: what the tool itself writes into a recording: when things happened.
//
// Some blocks of a recording belong to no process (record_block.process is 0): the tool's. They
// hold moments, taken at even intervals, and labels, which somebody asked for.
//
// L1  moments are in order of time, and there are at most MOMENTS_MAX. When there would be more,
//     every second one is dropped and the interval doubles: a run of a second and one of a week
//     have a timeline of the same size.
// L2  times are nanoseconds of a monotonic clock since the session began. The clock of the wall may
//     be set meanwhile: started_ns + at_ns is then not what it showed.
// L3  a tool that was killed leaves the records that it had written; a reader that copies the
//     recording while moments are dropped may meet one twice, or out of order, and leaves it out.
#pragma once

#include "format/recording.h"

#define MOMENTS_MAX 1024
#define TOPS_MAX    16
#define LABELS_MAX  1000

// A site's live bytes at a moment, if it was among the TOPS_MAX largest.
struct record_top {
    u32 process;
    u32 site;
    u64 live_bytes;
};

// Sums over all processes that lived at a moment. Totals (allocs and what follows) include those
// that have ended, so they never fall.
struct record_moment {
    struct record head;
    u64 at_ns; // L2
    u32 processes;
    u32 tops_count;
    u64 live_bytes, live_blocks;
    u64 rss_bytes; // pages that two processes share count twice; 0: not known
    u64 allocs, alloc_bytes, frees, free_bytes;
    struct record_top top[]; // largest first
};

// A label, and what it knows of each site: see record_points.
struct record_label {
    struct record head;
    u32 number; // from 1, in order of time
    u32 pid;    // of the process that it was set by, or for
    u64 at_ns;  // L2
    u64 live_bytes, live_blocks, rss_bytes;
    u64 allocs, alloc_bytes, frees, free_bytes;
    u32 cut; // 1: there was no room for all of its points
    u32 len;
    char text[];
};

// What sites stood at when a label was set. A site that has no point had no live block then, and
// had allocated nothing since the label before.
struct record_point {
    u32 site;
    u32 pad;
    u64 live_bytes, live_blocks;
    u64 allocs, alloc_bytes;
};
struct record_points {
    struct record head;
    u32 label; // its number
    u32 process;
    u32 count;
    u32 pad;
    struct record_point point[];
};
