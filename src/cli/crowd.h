// crowd.h: all processes, threads and sites of a session, found once and looked at often.
//
// A recording is made to be written. Who wants to know thirty times a second what all sites hold
// must not go through all its blocks: so each record is met once, when it is new, and its address
// kept. The addresses are good until the volume is unmapped: crowd_forget comes before.
//
// Nothing in a volume is trusted (F4): a program that runs wild may write there. Only counters are
// read after a record was met, and no counter can do harm.
#pragma once

#include "cli/volume.h"
#include "format/timeline.h"

struct crowd_process {
    const struct record_process *record; // NULL: it has ended and was counted for the last time
    u32 volume;                          // its number
    u32 index;                           // as readers of the kept file know it
    u32 pid;
    bool over;                // it has ended, which was noticed just now
    struct record_totals sum; // of its threads, made anew at each look
};
struct crowd_thread {
    struct record_thread *record;
    u32 process; // in crowd.processes
};
struct crowd_site {
    struct record_site *record;
    u32 process;     // in crowd.processes
    u64 told_allocs; // at the last label
    // F10: the sum of its pens, made anew at each look.
    u64 pen_allocs, pen_alloc_bytes, pen_frees, pen_free_bytes;
};
struct crowd_pens {
    const struct record_pens *record;
    u32 process;        // in crowd.processes
    u32 at[PENS_COUNT]; // where in crowd.sites the site was last
};

// How far a volume was read: blocks before `blocks` were met, and of those only the last one of
// each process, in `open`, may still grow.
struct crowd_open {
    u32 block, used, process; // process: in crowd.processes + 1, 0 = not known yet
};
struct crowd_volume {
    u32 number;
    u32 blocks;
    struct crowd_open *open;
    u32 open_count, open_room;
};

struct crowd {
    struct crowd_process *processes;
    struct crowd_thread *threads;
    struct crowd_site *sites;
    struct crowd_pens *pens;
    u32 processes_count, threads_count, sites_count, pens_count;
    u32 processes_room, threads_room, sites_room, pens_room;
    struct crowd_volume volumes[8];
    u32 volumes_count;
    struct record_moment past; // totals of processes that have ended
    u64 named_ns;              // when threads were asked for their names last
    u64 touched_ns;            // when large blocks are looked at next
    bool no_memory;            // something was left out
};

// Meet what is new in a volume; `add` goes to the indices of its processes.
void crowd_meet(struct crowd *c, const struct volume *v, u32 add);
// The volume goes away.
void crowd_forget(struct crowd *c, u32 number);

// Sum up all that lives, and what has ended. *ret_top gets the TOPS_MAX largest sites. Processes
// that are found to have ended count as living for the last time.
void crowd_look(struct crowd *c, struct record_moment *ret, struct record_top *ret_top);
// Ask the kernel for the names of threads, and which have ended; at most once a second.
void crowd_names(struct crowd *c, u64 now_ns, u64 clock);
// Look how much of their large blocks processes have touched, and note it in their sites. At most
// once a second, and for at most a fiftieth of the time.
void crowd_touched(struct crowd *c, u64 now_ns, u64 clock);
// What sites of process i have allocated, and hold now: those that hold nothing and did nothing
// since the last call are left out. To be freed; NULL if there are none or memory is short.
struct record_point *crowd_points(struct crowd *c, u32 process, u32 *ret_count);
void crowd_done(struct crowd *c);
