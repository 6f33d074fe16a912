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

#include "format/recording.h"
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

struct site {
    struct process *process;
    struct frame *frames; // innermost first
    u32 frames_count;
    bool truncated; // outer frames are missing
    bool other;     // the stacks that found no room in the recording
    u64 allocs, alloc_bytes, frees, free_bytes, largest;
    u64 at_peak; // its live bytes when its process stood highest (F5 resolved)
    struct amount live;
    struct amount direct, indirect, cycle, reachable;
};

struct process {
    u32 index, pid, ppid, parent;
    u32 flags, request, scan_error, exit_code;
    u64 started_ns;
    struct amount live;
    u64 allocs, alloc_bytes, frees;
    u64 peak_bytes, peak_ns, peak_serial;
    const char *exe;
    const char *args;                                 // joined by blanks
    struct amount direct, indirect, cycle, reachable; // sums over its sites
};

// A place in the program: sites of all processes whose innermost frames agree.
struct place {
    struct site *sample; // the site whose stack stands for all
    u32 ways;            // distinct stacks that lead here
    u64 allocs, alloc_bytes, largest;
    struct amount live;
    struct amount direct, indirect, cycle, reachable;
    u64 at_peak;        // in the process with the highest peak
    struct place *next; // of the same hash
    bool shown;         // its stack stands in the report already
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
};

// The process that the first one became by exec, as a shell script's last command does; NULL
// without processes.
const struct process *model_program(const struct model *m);

static inline u64 leaked_bytes(struct amount direct, struct amount indirect, struct amount cycle)
{
    return direct.bytes + indirect.bytes + cycle.bytes;
}
