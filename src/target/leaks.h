// leaks.h: the leak scan of a process that waits for it, from the tool.
//
// A process that is about to end stores REQUEST_SCAN in its record and waits on that word. The
// tool then calls target_scan, stores REQUEST_DONE or REQUEST_REFUSED and wakes the process.
//
// Why here and not in the process itself: it needs no system call of the program but a futex, so
// programs under seccomp, without descriptors, with a thousand threads or with all signals blocked
// are scanned like any other, and a scan that goes wrong harms nobody but the tool.
#pragma once

#include "format/recording.h"

#include <sys/types.h>

// Scan process `pid`, whose record is `proc` in the mapped recording, and add the results to its
// sites (direct_*, indirect_*, cycle_*, reachable_*); sets PROCESS_SCANNED in its flags. Blocks
// without a site or of a site below proc->first_site are followed but not told. Returns 0 (SCAN_OK)
// or the enum scan_error that says why not, in which case no site was changed; proc->scan_error
// gets the same.
//
// Call it from any thread; it raises rec->beat while it runs. See P2 in stop.h for what a thread
// that waits for the process must expect meanwhile.
int target_scan(pid_t pid, struct recording *rec, struct record_process *proc);
