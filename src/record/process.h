// process.h: this process's own record: who it is, and its end.
#pragma once

#include "format/recording.h"
#include "record/record.h"
#include "record/unwind.h"

// Keep what is to be said of the program. Makes system calls; at start only.
void process_init(const struct record_program *program);
// Remember that a fork made us: `parent` forked, and its pid was what ours was until now.
void process_forked(u32 parent);
// Write the record of this process. NULL when the recording has no room.
struct record_process *process_write(u32 first_site);
// False in a vfork child, and in a copy of the process that no fork handler was told of: they run
// on what is not, or no longer, the memory that the record speaks of.
bool process_is_me(void);
// The program's path, terminated.
const char *process_exe(void);
// Ask the tool for a leak scan and wait until it is done, refused, or the tool found dead. `from`:
// where the program began to end, or NULL.
void process_ask_scan(struct recording *map, struct record_process *p,
                      const struct unwind_start *from);
