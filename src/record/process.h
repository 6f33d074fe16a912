// process.h: this process's own record: who it is, and its end.
#pragma once

#include "format/recording.h"
#include "record/record.h"

// Keep what is to be said of the program. Makes system calls; at start only.
void process_init(const struct record_program *program);
// Remember that a fork made us: `parent` forked, and its pid was what ours was until now.
void process_forked(u32 parent);
// Write the record of this process. NULL when the recording has no room.
struct record_process *process_write(u32 first_site);
// Whether the calling process wrote that record: not a vfork child, not a copy made behind our
// back. A system call.
bool process_is_me(const struct record_process *p);
// The program's path, terminated.
const char *process_exe(void);
// Ask the tool for a leak scan and wait until it is done, refused, or the tool found dead.
void process_ask_scan(struct recording *map, struct record_process *p);
