// model.h: what a recording says, in the shape that reports need.
//
// report/load.c makes a model from a recording, report/place.c merges it, report/text.c and
// report/json.c print it. Nothing in it points into the recording: a model stays true while the
// recorded processes go on writing.
//
//     recording --load--> processes, modules, sites --place--> places --text, json--> reader
//
// M1  every number came from a file that may be hostile: nothing is used as an index, and sums
//     may wrap but never trap.
// M2  modules are unique by path and build-id over all processes, so a frame (module, offset)
//     means the same code wherever it was recorded, and stacks merge over the process tree.
#pragma once

#include "format/account.h"
#include "format/recording.h"
#include "format/timeline.h"
#include "report/store.h"

struct amount {
    u64 bytes, blocks;
};

struct module {
    const char *path;
    const char *name; // last part of the path
    u8 build_id[20];
    u32 build_id_len;            // 0: none
    u32 number;                  // from 1, in order of first sight
    struct module *next;         // of the same hash
    struct symbol_file *symbols; // owned by report/symbol.c, opened at the first question
};

struct frame {
    struct module *module; // NULL: a bare pc
    u64 offset;            // return address minus the module's bias
};

// What a site, a place, a thread or a process did over its whole life, beside allocs and frees.
struct churn {
    u64 capacity;                       // bytes that the allocated blocks could have held
    u64 temporaries, temporary_bytes;   // freed by the thread's next heap call
    u64 reallocs, chains, copied_bytes; // see struct record_site
};

// Freed blocks by lifetime: see lives_from_ns. Of a site, which as a rule has one bucket or two,
// without the zeros at the end: a big recording would be half zeros.
#define LIVES_COUNT (LIVES_BUCKETS + 1)
struct lifetimes {
    const u64 *lives;
    u32 count;
};

// Blocks in lives[i] lived lives_from_ns(i) at least, and less than lives_from_ns(i + 1).
static inline u64 lives_from_ns(u32 i)
{
    return i == 0 ? 0 : CLOCK_TICK_NS << (i - 1);
}

struct site {
    u32 id; // in its process
    struct process *process;
    struct place *place; // that places_merge put it into last; NULL before
    const u64 *frames;   // innermost first: see site_frame
    u32 frames_count;
    bool truncated; // outer frames are missing
    bool other;     // the stacks that found no room in the recording
    u64 allocs, alloc_bytes, frees, free_bytes, largest, smallest;
    struct churn churn;
    struct lifetimes lifetimes;
    u64 live_capacity;                // bytes that the live blocks can hold: at least live.bytes
    u64 samples, live_samples;        // blocks seen, if the process is sampled; else 0
    u64 large_bytes, untouched_bytes; // of live large blocks, when the tool last looked
    u64 at_peak;                      // its live bytes when its process stood highest (F5 resolved)
    struct amount live;
    struct amount direct, indirect, cycle, reachable;
};

// What a thread did itself. Others may free what it allocated.
struct thread {
    struct process *process;
    u32 tid; // 0: the rest of a process with very many threads
    bool ended;
    u64 started_ns, stopped_ns; // since the session began; stopped_ns valid if ended
    u64 allocs, alloc_bytes, frees, free_bytes, temporaries;
    const char *name;
};

// A site whose few blocks keep slabs in RAM that are mostly free: see struct record_pin.
struct pinner {
    struct site *site; // NULL: not known, as of blocks from before the recording
    u64 slabs, blocks, bytes, pinned, freed;
};

// What resident memory was for: see struct record_account.
struct ram {
    u64 at_ns, rss; // rss 0: there is no such account
    u64 part[ACCOUNT_PARTS];
    u64 live_blocks;
    u64 slabs, slabs_rss, slabs_live;
    u32 known;     // enum account_known
    u32 processes; // of a sum
    struct pinner *pinners;
    u32 pinners_count;
};

struct process {
    u32 index, pid, ppid, parent;
    u32 flags, request, scan_error, exit_code;
    u64 started_ns;
    u64 sample_bytes; // not 0: its numbers are estimates from samples so far apart on average
    u64 merged;       // stacks that were merged into "other"
    struct amount live;
    u64 allocs, alloc_bytes, frees, free_bytes;
    struct churn churn;
    u64 lives[LIVES_COUNT];
    u64 live_capacity, free_capacity;
    struct thread *threads; // in model.threads
    u32 threads_count;
    u64 peak_bytes, peak_ns, peak_serial;
    struct ram highest, last; // of its RSS: as far as it was looked at
    struct module **modules;  // the model's
    const char *exe;
    const char *args;                                 // joined by blanks
    struct amount direct, indirect, cycle, reachable; // sums over its sites
};

// A frame is kept as the number of its module, 0 for none, above FRAME_MODULE_SHIFT, and its offset
// below: a hundred thousand stacks hold millions.
static inline struct frame site_frame(const struct site *s, u32 i)
{
    u64 module = s->frames[i] >> FRAME_MODULE_SHIFT;
    return (struct frame){module == 0 ? NULL : s->process->modules[module - 1],
                          s->frames[i] & FRAME_OFFSET_MASK};
}

// A place in the program: sites of all processes whose innermost frames agree.
struct place {
    struct site *sample; // the site whose stack stands for all
    u32 ways;            // distinct stacks that lead here
    u32 number;          // its place in the last places_sort, from 0
    u64 allocs, alloc_bytes, frees, free_bytes, largest, smallest;
    const struct churn *churn;  // of its only site, or a sum in the store
    struct lifetimes lifetimes; // the same
    bool summed;                // the latter
    u64 live_capacity;
    u64 samples, live_samples;
    u64 large_bytes, untouched_bytes;
    struct amount live;
    struct amount direct, indirect, cycle, reachable;
    u64 at_peak;        // in the process with the highest peak
    struct place *next; // of the same hash
    bool shown;         // its stack stands in the report already
};

// One look at all processes together. Times are since the session began, on a clock that nobody
// sets (L2); totals include the processes that had ended.
struct top {
    struct site *site; // NULL: it is not in the recording any more
    u64 live_bytes;
};
struct moment {
    u64 at_ns;
    u32 processes;
    struct amount live;
    u64 rss_bytes; // 0: not known
    u64 allocs, alloc_bytes, frees, free_bytes;
    struct top *tops; // the largest sites, largest first
    u32 tops_count;
};

// A named moment, with all sites that had live blocks or had allocated since the label before it.
struct point {
    struct site *site; // NULL: it is not in the recording any more
    struct amount live;
    u64 allocs, alloc_bytes; // totals up to the label
};
struct label {
    u32 number; // from 1
    u32 pid;    // of the process that it was set by, or for
    const char *name;
    struct moment moment; // without tops
    struct point *points;
    u32 points_count;
    bool cut; // points are missing: there was no room
};

// Owners of memory of one kind, name and place: see struct record_owner. Over all processes.
struct owner {
    const char *kind, *name, *place;
    u64 count, live, held_bytes, used_bytes, used_max, resets;
};

// When collected heaps had all threads of a process stand still: see struct record_pauses. Over all
// processes.
struct pauses {
    u64 count, max_ns, total_ns;
};

struct model {
    struct store store;
    char *command;            // joined by blanks, fit for a terminal
    u64 started_ns, ended_ns; // ended_ns 0: the recording was cut short
    u32 end_status;           // wait status of the first process
    bool leaks;               // a leak scan was asked for
    bool cut;                 // the file ends early
    bool full;                // no block was left: what came later is missing
    u32 archived;             // ended processes of which only the main sites are left
    u32 damaged;              // blocks or records that made no sense and were left out

    struct process *processes; // in order of index; the first is the program itself
    u32 processes_count;
    struct module **modules;
    u32 modules_count;
    struct site *sites;
    u32 sites_count;
    struct thread *threads; // by process
    u32 threads_count;
    struct moment *moments; // in order of time
    u32 moments_count;
    struct ram *rams; // sums over all processes, in order of time
    u32 rams_count;
    struct pauses pauses;
    struct owner *owners; // those that hold most first
    u32 owners_count;
    struct label *labels; // in order of time
    u32 labels_count;
};

// The process that the first one became by exec, as a shell script's last command does; NULL
// without processes.
const struct process *model_program(const struct model *m);

static inline u64 leaked_bytes(struct amount direct, struct amount indirect, struct amount cycle)
{
    return direct.bytes + indirect.bytes + cycle.bytes;
}
