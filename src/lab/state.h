// state.h: what a lab that was killed leaves behind, and who takes it away.
//
// Whatever outlives a process (a folder, a cgroup, a swap file) is written into a file of this lab
// before it is made. The file is locked while the lab lives. A lab that starts looks through the
// folder of such files: one that nobody holds belongs to a dead lab, and what it names is removed.
// Processes need no such list: the kernel kills them with their parent (PR_SET_PDEATHSIG).
#pragma once

#include "base/base.h"

// Open this lab's file, after cleaning up behind dead ones. 0 or -errno: the folder is not safe.
int state_open(void);
// Remember it: `kind` is "folder", "file", "cgroup" or "swap". Also in children.
void state_add(const char *kind, const char *path);
// Remove all that was remembered so far: an experiment is over.
void state_sweep(void);
// The same, and remove the list itself.
void state_close(void);
// Clean up behind dead labs; returns how many things were removed, or -errno.
int state_clean(void);
